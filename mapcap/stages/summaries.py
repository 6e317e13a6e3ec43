"""Stage `summaries`: the sentences that stand for a class, for every length."""

from collections.abc import Callable, Sequence

import numpy as np

from db import queries, writes
from db.batches import NewSentence, NewSummary
from db.records import Pmi, WordScore
from mapcap.config import MAX_SENTENCES_PER_SUMMARY
from mapcap.stages.base import Stage
from mapcap.summaries import summaries, words

LENGTHS = range(1, MAX_SENTENCES_PER_SUMMARY + 1)


class Summaries(Stage[Pmi | None]):
    """Summaries of every length from the stored matrix, and the class's words."""

    name = "summaries"
    unit = "classes"
    items_per_batch = 1

    def total(self) -> int:  # noqa: D102
        return len(self.job.class_ids)

    def pending(self) -> Sequence[int]:  # noqa: D102
        redundancy = self.job.config.redundancy
        return queries.pending_summaries(self.job.engine, self.job.run_id, LENGTHS, redundancy)

    def read(self, items: Sequence[int]) -> Pmi | None:  # noqa: D102
        (class_id,) = items
        return queries.pmi(self.job.engine, class_id)

    def compute(self, data: Pmi | None, tick: Callable[[float], None]) -> None:  # noqa: D102
        if data is None:
            return
        writes.add_summaries(self.job.engine, choose(data, self.job.config.redundancy))
        ranked = words(data.texts, data.relevance, data.counts)
        writes.add_word_scores(
            self.job.engine, data.class_id, "relevance", [WordScore(*word) for word in ranked]
        )


def choose(pmi: Pmi, redundancy: float) -> list[NewSummary]:
    """Select a class's summaries of every length from its stored matrix."""
    if not pmi.texts:
        return [NewSummary(pmi.class_id, k, redundancy, []) for k in LENGTHS]
    matrix = pmi.matrix.astype(np.float64)
    chosen = summaries(matrix, pmi.counts, MAX_SENTENCES_PER_SUMMARY, redundancy, pmi.weights)
    return [
        NewSummary(
            pmi.class_id,
            k,
            redundancy,
            [
                NewSentence(
                    int(pmi.caption_ids[sentence.index]),
                    sentence.relevance,
                    sentence.penalty,
                    sentence.score,
                )
                for sentence in selected
            ],
        )
        for k, selected in zip(LENGTHS, chosen, strict=True)
    ]
