"""The concepts that the CLIP of a run may speak of, with their text embeddings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.concepts import ConceptBank, EmbedTexts, concept_bank, parse_concepts
from mapcap.config import IndexConfig
from mapcap.indexing.digests import weights_digest
from mapcap.networks.clip import Clip
from mapcap.networks.embedded import MINI, embedded
from mapcap.zero_shot import class_weights


def read_concept_bank(config: IndexConfig, clip: Clip) -> ConceptBank:
    """Return the concepts of a run, embedded by its CLIP."""
    field_terms = parse_concepts(config.concepts, "the run's concepts") if config.concepts else ()
    digest = weights_digest(embedded("clip")) if config.model == MINI else None
    return concept_bank(text_embedder(clip), field_terms, digest)


def text_embedder(clip: Clip) -> EmbedTexts:
    """Return what embeds texts by a CLIP: (T,) to (T, D), L2-normalised."""

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = class_weights(clip.model, clip.tokenizer, texts)
        return np.asarray(vectors.float().cpu().numpy(), np.float32)

    return embed
