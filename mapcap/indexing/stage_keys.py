"""What the result of a stage depends on, as one key: stages of equal keys share their results.

Where the photos lie, how long summaries are and what the preset is called belong to none. A photo's
class, content and box are compared photo by photo, a class's captions class by class.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import torch

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel
from mapcap.indexing.digests import weights_digest
from mapcap.networks.embedded import MINI, embedded

METHODS: Final = {"images": 1, "captions": 4, "pmi": 1}
"""Raised with every change of what a stage computes from the same inputs."""

IMAGES: Final = (
    "model", "pretrained", "weights", "image_size", "templates", "representation", "relevance",
    "relevance_start_layer", "regions", "threshold", "min_area", "features", "classifier",
    "predictions_digest", "unlabelled",
)  # fmt: skip
CAPTIONS: Final = ("captioner", "prompt", "first_sentence", "region_view", "decoding")
PMI: Final = ("lm", "max_sentences", "seed", "keep_artefacts", "model", "pretrained", "weights")
_EMBEDDED: Final = {"model": "clip", "captioner": "clipcap.safetensors", "lm": "lm"}


def stage_keys(
    config: IndexConfig,
    classes: Sequence[ClassLabel],
    digests: Mapping[str, str],
    half: torch.dtype | None,
) -> dict[str, str]:
    """Return the keys of the stages whose results are shared, by the stages' names.

    `digests` are those of the weights behind paths, by option; `half` is what the vision tower runs
    forward in.
    """
    # A table's own predictions come with the photos; the digest is that of the files.
    labels = [(each.name, each.label) for each in classes]
    parts = _parts(config, IMAGES, digests)
    images = _key("images", [parts, labels, str(half), sorted(config.sources)])
    captions = _key("captions", [images, _parts(config, CAPTIONS, digests)])
    return {
        "images": images,
        "captions": captions,
        "pmi": _key("pmi", _parts(config, PMI, digests)),
    }


def _parts(
    config: IndexConfig, names: Sequence[str], digests: Mapping[str, str]
) -> dict[str, object]:
    """Return the values of fields; of one that names weights on this machine, what these are."""
    found: dict[str, object] = {}
    for name in names:
        value = getattr(config, name)
        if value == MINI and name in _EMBEDDED:
            value = weights_digest(embedded(_EMBEDDED[name]))
        found[name] = digests.get(f"--{name}", value)
    return found


def _key(stage: str, parts: Any) -> str:
    whole = [stage, METHODS[stage], version("mapcap"), parts]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
