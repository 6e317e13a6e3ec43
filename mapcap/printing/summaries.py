"""Summaries as a terminal shows them: a class's sentences, and those of its two outcomes."""

from itertools import zip_longest

from rich.console import RenderableType
from rich.text import Text

from db.records import Summary
from mapcap.printing.tables import data_table, figure, safe


def summary_table(
    summary: Summary | None, distinct: int, absent: str, *, labelled: bool = True
) -> RenderableType:
    """Return a summary's sentences in the order of choice, with the scores that chose them.

    `absent` says why, where there are none. The images that each stands for are counted by outcome,
    where that is known.
    """
    if summary is None or not summary.sentences:
        return Text(absent, "yellow")
    outcomes = ("correct", "errors") if labelled else ("images",)
    numbers = ("", "relevance", "penalty", "score", "regions", *outcomes)
    least = ("penalty", "relevance", "score", "regions")
    title = f"summary of {distinct} captions"
    table = data_table("", title, *numbers[1:], right=numbers, least=least)
    for sentence in summary.sentences:
        table.add_row(
            str(sentence.position + 1),
            safe(sentence.text),
            figure(sentence.relevance, 2),
            figure(sentence.penalty, 2),
            figure(sentence.score, 2),
            str(sentence.count),
            *map(str, (sentence.right, sentence.wrong)[: len(outcomes)]),
        )
    return table


def sides_table(right: Summary, wrong: Summary) -> RenderableType:
    """Return what the correct images of a class share beside what the misclassified ones do.

    Each sentence with the number of images of that side that it stands for.
    """
    table = data_table("images", "correct", "images", "misclassified", right=("images",))
    for first, other in zip_longest(right.sentences, wrong.sentences):
        table.add_row(
            "" if first is None else str(first.right),
            Text() if first is None else safe(first.text),
            "" if other is None else str(other.wrong),
            Text() if other is None else safe(other.text),
        )
    return table
