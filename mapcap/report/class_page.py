"""What the page says of one class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from markupsafe import Markup
from sqlalchemy import Engine

from db import queries
from db.records import ClassName, Confusion, ErrorWord, Finding, Run, Summary, WordScore
from mapcap.config import IndexConfig
from mapcap.report.examples import Evidence, Example, evidence, examples
from mapcap.report.pictures import Drawer
from mapcap.report.verdicts import VerdictLine, pictures
from mapcap.summaries.stored import read_sides, read_summary

_CONFUSIONS: Final = 8
_WORDS: Final = 16
_TESTED: Final = 8


@dataclass(frozen=True)
class ShownFinding:
    """A finding as it is shown."""

    finding: Finding
    evidence: list[Evidence]


@dataclass(frozen=True)
class Bin:
    """The images of a class at one level of confidence; all shares of one but `images`."""

    confidence: float
    accuracy: float
    images: int


@dataclass(frozen=True)
class Calibration:
    """The model's confidence where it predicts a class against its accuracy there.

    `error` is the binned error, `level` what a calibrated model reaches by chance.
    """

    error: float | None
    level: float | None
    bins: list[Bin]


@dataclass(frozen=True)
class ClassPage:
    """One class: its place among the classes shown, and all that is said of it."""

    record: ClassName
    before: ClassName | None
    after: ClassName | None
    line: str | None
    summary: Summary | None
    sides: tuple[Summary, Summary] | None
    """What the correct images share, and what the misclassified ones do."""
    confusions: list[Confusion]
    more_confusions: int
    right: list[Example]
    wrong: list[Example]
    findings: list[ShownFinding]
    words: list[WordScore]
    tested: list[ErrorWord]
    calibration: Calibration | None
    verdicts: list[VerdictLine]
    """Yours: on the class, then on its images."""
    verdict_pictures: Mapping[int, Markup | None]
    """Small pictures of the images that have a verdict, by id."""

    @property
    def strongest(self) -> float:
        """The highest score of a word, above 0."""
        return max((word.score for word in self.words), default=0.0) or 1.0


def class_page(
    engine: Engine,
    run: Run,
    drawer: Drawer,
    shown: Sequence[ClassName],
    place: int,
    verdicts: list[VerdictLine],
) -> ClassPage:
    """Read everything about the class at a place among those shown."""
    record = shown[place]
    audit = queries.class_audit(engine, record.id)
    confusions = queries.confusions(engine, record.id)
    return ClassPage(
        record=record,
        before=shown[place - 1] if place else None,
        after=shown[place + 1] if place + 1 < len(shown) else None,
        # The class's name stands above the line already.
        line=None if audit is None else audit.line.removeprefix(f"{record.name}: "),
        summary=read_summary(engine, record.id, *_length(run)),
        sides=read_sides(engine, record.id, *_length(run)),
        confusions=confusions[:_CONFUSIONS],
        more_confusions=sum(confusion.count for confusion in confusions[_CONFUSIONS:]),
        right=examples(engine, drawer, record.id, correct=True),
        wrong=examples(engine, drawer, record.id, correct=False),
        findings=[
            ShownFinding(finding, evidence(engine, drawer, finding))
            for finding in queries.findings(engine, record.id)
        ],
        words=queries.word_scores(engine, record.id, "relevance", limit=_WORDS),
        tested=queries.error_words(engine, record.id, limit=_TESTED),
        calibration=None if audit is None else _calibration(audit.figures),
        verdicts=verdicts,
        verdict_pictures=pictures(engine, drawer, verdicts),
    )


def _length(run: Run) -> tuple[int, float]:
    """Return length and redundancy of the summary that the run shows first."""
    k, redundancy = run.config.get("sentences"), run.config.get("redundancy")
    if not isinstance(k, int) or k < 1:
        k = IndexConfig.sentences
    # NaN is not at least 0 either.
    if not isinstance(redundancy, int | float) or not 0 <= redundancy < inf:
        redundancy = IndexConfig.redundancy
    return k, float(redundancy)


def _calibration(figures: Mapping[str, Any]) -> Calibration | None:
    try:
        bins = [
            Bin(float(entry["confidence"]), float(entry["accuracy"]), int(entry["images"]))
            for entry in figures["bins"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        # The audit's figures are JSON, and the file may come from anybody.
        return None
    error, level = (
        value if isinstance(value := figures.get(key), float) else None
        for key in ("ece", "ece_level")
    )
    return Calibration(error, level, bins) if bins else None
