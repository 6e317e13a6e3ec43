"""Stage `summaries`: the sentences that stand for a class, for every length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from db import queries, writes
from db.engine import writing
from db.records import Pmi, WordScore
from db.rows import NewSentence, NewSummary
from mapcap.config import MAX_SENTENCES_PER_SUMMARY
from mapcap.indexing.stages.base import Stage
from mapcap.summaries.selection import choose
from mapcap.summaries.words import words

LENGTHS = range(1, MAX_SENTENCES_PER_SUMMARY + 1)


@dataclass(frozen=True)
class Said:
    """What is said of a class."""

    class_id: int
    summaries: list[NewSummary]
    words: list[WordScore]


class Summaries(Stage[Pmi | None, Said | None]):
    """Summaries of every length from the stored matrix, and the class's words."""

    name = "summaries"
    unit = "classes"

    def total(self) -> int:  # noqa: D102
        return len(self.job.class_ids)

    def pending(self) -> Sequence[int]:  # noqa: D102
        redundancy = self.job.config.redundancy
        return queries.pending_summaries(self.job.engine, self.job.run_id, LENGTHS, redundancy)

    def read(self, items: Sequence[int]) -> Pmi | None:  # noqa: D102
        (class_id,) = items
        return queries.pmi(self.job.engine, class_id)

    def compute(self, data: Pmi | None, tick: Callable[[float], None]) -> Said | None:  # noqa: D102
        if data is None:
            return None
        scores = [WordScore(*word) for word in words(data.texts, data.relevance, data.counts)]
        return Said(data.class_id, lengths(data, self.job.config.redundancy), scores)

    def store(self, result: Said | None) -> None:  # noqa: D102
        if result is None:
            return
        # Pending is a class without summaries: a kill between the two would lose its words.
        with writing(self.job.engine) as transaction:
            writes.add_summaries(transaction, result.summaries)
            writes.add_word_scores(transaction, result.class_id, "relevance", result.words)


def lengths(pmi: Pmi, redundancy: float) -> list[NewSummary]:
    """Select a class's summaries of every length from its stored matrix.

    The choice for k is the beginning of that for any larger k: one choice gives them all.
    """
    chosen = choose(pmi, MAX_SENTENCES_PER_SUMMARY, redundancy) if pmi.texts else []
    sentences = [
        NewSentence(int(pmi.caption_ids[pick.index]), pick.relevance, pick.penalty, pick.score)
        for pick in chosen
    ]
    return [NewSummary(pmi.class_id, k, redundancy, sentences[:k]) for k in LENGTHS]
