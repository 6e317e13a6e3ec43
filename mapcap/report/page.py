"""The whole page: what stands above the classes, and the templates that write it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Engine

from db import queries
from db.ordering import with_photos
from db.queries.unfinished import counts_now, unreadable_images
from db.records import ClassName, Run, RunCounts, Stage
from db.stats import wilson
from mapcap.export.rows import Marks
from mapcap.printing.pages import listed
from mapcap.report import numbers
from mapcap.report.class_page import ClassPage, class_page
from mapcap.report.metrics import Metrics, group_metrics
from mapcap.report.pictures import SIDE, SMALL, Drawer, scale
from mapcap.report.verdicts import VerdictLine, counts_of, read_verdicts
from mapcap.runs.confusion_matrix import ConfusionMatrix, read_matrix
from mapcap.runs.lookup import find_class
from mapcap.runs.source import source_line
from mapcap.runs.standing import standing
from mapcap.text import clean

_LONGEST: Final = 800
"""Characters of a text from outside that are shown."""
_BRIEF: Final = 120
"""Characters of a name, or of a sentence where there is little room."""
_MATRIX: Final = 24
"""Classes in the confusion matrix: as many as a sheet of paper has room for."""
_WHY: Final = 260
"""Characters of the audit's line in the table of classes."""


@dataclass(frozen=True)
class Head:
    """What stands above the classes."""

    run: Run
    title: str
    facts: list[tuple[str, str]]
    notes: list[str]
    classes: list[ClassName]
    left_out: int
    without_images: int
    """Classes that only predictions name; they are not shown, and not among those left out."""
    predicted: int
    correct: int | None
    """None where the images have no labels."""
    interval: tuple[float, float] | None
    metrics: Metrics | None
    matrix: ConfusionMatrix
    why: dict[int, str]
    """The audit's line of each class, by id, without the class's name."""
    verdicts: dict[int, list[VerdictLine]]
    """Your verdicts by class id."""


def read_head(engine: Engine, run: Run, only: Sequence[str], marks: Marks | None = None) -> Head:
    """Read what stands above the classes; `only` names those to be shown, none means all.

    `marks` are your verdicts.

    Raises:
        UserError: for a name that no class has.
    """
    classes = queries.classes(engine, run.id, sort="accuracy")
    chosen = {find_class(engine, run.id, name, "--class").id for name in only}
    counts = counts_now(engine, run)
    there = with_photos(classes)
    shown = [record for record in classes if record.id in chosen] if chosen else there
    return Head(
        run=run,
        title=run.dataset.rstrip("/").rpartition("/")[2] or run.dataset,
        facts=_source(engine, run)
        + _facts(run)
        + ([("Your verdicts", counts_of(marks))] if marks else []),
        notes=_notes(engine, run, queries.stages(engine, run.id)),
        classes=shown,
        left_out=len({record.id for record in there} - {record.id for record in shown}),
        without_images=len(classes) - len(there),
        predicted=counts.predicted,
        correct=counts.correct,
        interval=_interval(counts),
        metrics=group_metrics(queries.figures(engine, run.id)),
        matrix=read_matrix(engine, run.id, _MATRIX),
        why=_why(engine, shown),
        verdicts=read_verdicts(engine, run.id, shown, marks or {}),
    )


def _interval(counts: RunCounts) -> tuple[float, float] | None:
    if counts.correct is None or not counts.predicted:
        return None
    return wilson(counts.correct, counts.predicted)


def _why(engine: Engine, classes: Sequence[ClassName]) -> dict[int, str]:
    audits = {record.id: queries.class_audit(engine, record.id) for record in classes}
    # The class's name stands beside the line.
    return {
        record.id: audit.line.removeprefix(f"{record.name}: ")
        for record in classes
        if (audit := audits[record.id]) is not None
    }


def _source(engine: Engine, run: Run) -> list[tuple[str, str]]:
    """Return whose predictions they are, where the CLIP is not the classifier."""
    totals = queries.run_totals(engine, run.id)
    line = source_line(run, totals.predicted, totals.agreed)
    return [] if line is None else [("Classifier", line)]


def _facts(run: Run) -> list[tuple[str, str]]:
    """Return how the run was made."""
    config, networks = run.config, run.networks
    facts = [
        ("Model", str(networks.get("model", ""))),
        ("Captions by", str(networks.get("captioner", ""))),
        ("Language model", str(networks.get("lm", ""))),
        ("Region embedding", str(config.get("representation", ""))),
        ("Indexed", _period(run.started, run.finished)),
        ("Run", f"{run.id}, preset {run.preset}, MapCap {run.versions.get('mapcap', '')}"),
    ]
    return [(name, value) for name, value in facts if value]


def _period(started: datetime, finished: datetime | None) -> str:
    if finished is None:
        return f"{started:%Y-%m-%d %H:%M} UTC, not finished"
    if finished.date() == started.date():
        return f"{started:%Y-%m-%d, %H:%M}–{finished:%H:%M} UTC"
    return f"{started:%Y-%m-%d %H:%M} – {finished:%Y-%m-%d %H:%M} UTC"


def _notes(engine: Engine, run: Run, stages: Sequence[Stage]) -> list[str]:
    """Return what a reader must know: how far the run is, and what it lacks."""
    notes = list(run.notes)
    behind = [stage for stage in stages if stage.status != "done"]
    if run.status != "done":
        far = ", ".join(f"{stage.name} {stage.done:,} of {stage.total:,}" for stage in behind)
        notes.append(f"This run is not finished ({standing(run)}){': ' if far else ''}{far}.")
    unreadable = unreadable_images(engine, run.id)
    if unreadable:
        paths = [path for path, _ in unreadable]
        what = "image" if len(paths) == 1 else "images"
        notes.append(f"{listed(f'{what} could not be read', paths)}.")
    lacking = len(queries.pending_audit(engine, run.id))
    if lacking:
        lack = "class lacks" if lacking == 1 else "classes lack"
        notes.append(
            f"{lacking:,} {lack} an audit of what is stored now: the same mapcap index command "
            "again adds it."
        )
    return notes


def class_pages(engine: Engine, head: Head) -> Iterator[ClassPage]:
    """Yield the classes that are shown, one at a time."""
    drawer = Drawer(head.run.resize_mode)
    for place, record in enumerate(head.classes):
        verdicts = head.verdicts.get(record.id, [])
        yield class_page(engine, head.run, drawer, head.classes, place, verdicts)


def pieces(head: Head, pages: Iterator[ClassPage]) -> Iterator[bytes]:
    """Yield the page as UTF-8; each class is read when its turn comes, and then forgotten."""
    template = make_environment().get_template("page.html")
    anchors = {record.id: f"class-{record.position}" for record in head.classes}
    names = {"head": head, "pages": pages, "anchors": anchors, "scale": scale(), "longest": _WHY}
    for piece in template.generate(names, side=SIDE, small=SMALL):
        yield piece.encode("utf-8")


@cache
def make_environment() -> Environment:
    """Return the templates' environment: every value is cleaned, cut and escaped."""
    environment = Environment(
        loader=PackageLoader("mapcap.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "number": numbers.number,
        "share": numbers.share,
        "signed": numbers.signed,
        "chance": numbers.chance,
        "brief": brief,
    }
    environment.filters.update(filters)
    return environment


def brief(text: str, longest: int = _BRIEF) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _printable(value: Any) -> Any:
    """Make every text harmless that a template prints: whatever it is, no template can forget it.

    Autoescape comes after this, and takes care of markup.
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return clean(brief(value, _LONGEST))
