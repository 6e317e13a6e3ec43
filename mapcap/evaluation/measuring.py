"""Measuring a run from its store and the text tower alone, class by class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from db import queries
from mapcap.config import IndexConfig
from mapcap.evaluation.reading import ClassMaterial, read_class
from mapcap.evaluation.storing import store_values
from mapcap.evaluation.values import Values, class_values, rank_values, summary_embedding
from mapcap.networks.clip import Clip
from mapcap.texts.captions import distinct
from mapcap.texts.wording import content_words, without_name
from mapcap.zero_shot import class_weights


class Measuring:
    """Takes the classes of a run one by one; stores all figures at once when it has them all."""

    def __init__(self, engine: Engine, run_id: int, config: IndexConfig, clip: Clip) -> None:
        self._engine, self._run_id, self._config, self._clip = engine, run_id, config, clip
        self._values: dict[int, Values] = {}
        self._summaries: dict[str, dict[int, NDArray[np.float64]]] = {"class": {}, "nameless": {}}

    def pending(self) -> list[int]:
        """Return all classes or none: the figures of a run are of one piece, and soon made."""
        stored = queries.class_figures(self._engine, self._run_id)
        classes = queries.classes(self._engine, self._run_id)
        for record in classes:
            figures = stored.get(record.id, {})
            basis = (figures.get("basis-predicted"), figures.get("basis-captions"))
            if basis != (record.predicted, record.distinct_captions):
                return [each.id for each in classes]
        return []

    def read(self, class_id: int) -> ClassMaterial:
        """Read what a class is measured by."""
        return read_class(self._engine, class_id, self._config, self._clip)

    def measure(self, material: ClassMaterial) -> None:
        """Measure a class."""
        size, threshold = self._clip.size, self._config.threshold
        self._values[material.class_id] = class_values(material, size, threshold, self._embed)
        nameless = [without_name(text, material.name) for text in material.summary]
        for prefix, sentences in (("class", material.summary), ("nameless", nameless)):
            informative = [text for text in sentences if any(content_words(text))]
            embedding = summary_embedding(informative, self._embed)
            if embedding is not None:
                self._summaries[prefix][material.class_id] = embedding

    def store(self) -> None:
        """Store the figures of the classes measured, if any, and of the run."""
        if not self._values:
            return
        names = queries.class_embeddings(self._engine, self._run_id)
        values = dict(self._values)
        for prefix, summaries in self._summaries.items():
            ranked = rank_values(summaries, names.ids.tolist(), names.vectors, prefix)
            for class_id, ranks in ranked.items():
                values[class_id] = {**values[class_id], **ranks}
        store_values(self._engine, self._run_id, values, self._config.seed)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        unique = distinct(texts)
        weights = class_weights(self._clip.model, self._clip.tokenizer, unique.texts)
        embeddings: NDArray[np.float32] = weights.float().cpu().numpy()
        return embeddings[unique.index]
