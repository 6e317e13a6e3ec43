"""Stage `summaries`: the sentences that stand for a class, for every length."""

from collections.abc import Callable, Sequence

from db import queries, writes
from db.engine import writing
from db.records import Pmi, WordScore
from db.rows import NewSentence, NewSummary
from mapcap.config import MAX_SENTENCES_PER_SUMMARY
from mapcap.indexing.stages.base import Stage
from mapcap.summaries.selection import choose
from mapcap.summaries.words import words

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
        scores = [WordScore(*word) for word in words(data.texts, data.relevance, data.counts)]
        # Pending is a class without summaries: a kill between the two would lose its words.
        with writing(self.job.engine) as transaction:
            writes.add_summaries(transaction, lengths(data, self.job.config.redundancy))
            writes.add_word_scores(transaction, data.class_id, "relevance", scores)


def lengths(pmi: Pmi, redundancy: float) -> list[NewSummary]:
    """Select a class's summaries of every length from its stored matrix.

    The choice for k is the beginning of that for any larger k: one choice gives them all.
    """
    chosen = choose(pmi, MAX_SENTENCES_PER_SUMMARY, redundancy) if pmi.texts else []
    sentences = [
        NewSentence(int(pmi.caption_ids[one.index]), one.relevance, one.penalty, one.score)
        for one in chosen
    ]
    return [NewSummary(pmi.class_id, k, redundancy, sentences[:k]) for k in LENGTHS]
