"""Printing the audit: a line per class, one class in full, and what changed between two runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from db.records import ClassAudit, ErrorWord, Finding, Run
from mapcap.printing.tables import bar, data_table, figure, safe
from mapcap.runs.comparison import verdict
from mapcap.runs.source import predicted_by
from mapcap.stats import Change
from mapcap.text import clean


def lines_page(lines: Sequence[str]) -> RenderableType:
    """Return the lines of classes, each name standing out."""
    shown = []
    for line in lines:
        name, colon, rest = clean(line).partition(": ")
        shown.append(Text.assemble((name, "bold"), colon, rest))
    return Group(*shown)


def audit_page(
    audit: ClassAudit,
    findings: Sequence[tuple[Finding, Sequence[str]]],
    words: Sequence[ErrorWord],
    *,
    labelled: bool = True,
) -> RenderableType:
    """Return a class's audit: its line, findings with the paths of example images, words, bins."""
    parts: list[RenderableType] = [lines_page([audit.line])]
    for finding, paths in findings:
        parts += [Text(), *_finding(finding, paths)]
    if not findings:
        sought = "explains errors" if labelled else "stands out"
        parts += [Text(), Text(f"nothing was found that {sought}", "dim")]
    if words:
        parts += [Text(), words_table(words)]
    if labelled:
        parts += [Text(), _calibration(audit.figures)]
    return Group(*parts)


def _finding(finding: Finding, paths: Sequence[str]) -> list[RenderableType]:
    head = Text.assemble(
        f"{finding.position + 1}. ",
        (clean(finding.plain), f"bold {finding.colour}"),
        f"  {clean(finding.title)}",
    )
    below = [*finding.details, ", ".join(paths)]
    return [head, *(Padding(Text(clean(text), "dim"), (0, 0, 0, 3)) for text in below if text)]


def _short(value: float) -> str:
    return f"{value:.1e}" if 0 < abs(value) < 0.001 else f"{value:.3g}"


def words_table(words: Sequence[ErrorWord]) -> RenderableType:
    """Return the words that tell wrong from correct images, with their tests."""
    numbers = ("z", "q", "B2T", "95 %", "errors", "correct")
    least = ("95 %", "B2T", "z", "marks", "q")
    table = data_table("word", "marks", *numbers, right=("marks", *numbers), least=least)
    for word in words:
        low, high = figure(word.b2t_low, 3), figure(word.b2t_high, 3)
        table.add_row(
            safe(word.word),
            "errors" if word.z > 0 else "correct",
            figure(word.z),
            figure(word.q, 3),
            figure(word.b2t, 3),
            "-" if word.b2t_low is None else f"{low} to {high}",
            str(word.wrong),
            str(word.correct),
        )
    return table


def _calibration(figures: Mapping[str, Any]) -> RenderableType:
    """Return the reliability bins: confidence against accuracy."""
    head = Text.assemble(
        ("calibration where it is predicted", "bold"),
        "  "
        + ", ".join(
            f"{name} {figure(figures.get(key))}"
            for name, key in (
                ("error", "ece"),
                ("by chance up to", "ece_level"),
                ("confidence", "mean_confidence"),
                ("accuracy", "accuracy"),
                ("margin", "mean_margin"),
            )
        ),
    )
    table = data_table("confidence", "", "accuracy", "images", right=("accuracy", "images"))
    bins = figures.get("bins")
    for bin_ in bins if isinstance(bins, list) else ():
        if isinstance(bin_, dict):
            accuracy = bin_.get("accuracy")
            table.add_row(
                f"{figure(bin_.get('low'), 1)}-{figure(bin_.get('high'), 1)}",
                bar(accuracy if isinstance(accuracy, float) and 0 <= accuracy <= 1 else None),
                figure(accuracy),
                figure(bin_.get("images"), 0),
            )
    return Group(head, table)


def changes_page(
    overall: Change, classes: Sequence[tuple[str, Change]], run: Run, other: Run
) -> RenderableType:
    """Return what got better and worse from run `other` to run `run`, the smallest p first."""
    head = Text.assemble(
        (f"run {other.id} → run {run.id}", "bold"),
        f" ({clean(predicted_by(other))} → {clean(predicted_by(run))})",
        f"  {overall.images:,} images in both: {overall.before:,} → {overall.now:,} correct "
        f"({overall.gained:,} gained, {overall.lost:,} lost, McNemar p {_short(overall.p)})",
    )
    numbers = ("before", "now", "gained", "lost", "p", "q", "images")
    least = ("images", "p", "before", "now", "lost", "gained", "q")
    table = data_table("class", "change", *numbers, right=numbers, least=least)
    for name, change in sorted(classes, key=lambda pair: (pair[1].p, pair[0])):
        counts = (change.before, change.now, change.gained, change.lost)
        table.add_row(
            safe(name),
            _direction(change),
            *map(str, counts),
            _short(change.p),
            _short(change.q),
            str(change.images),
        )
    return Group(head, Text(), table)


def _direction(change: Change) -> Text:
    outcome = verdict(change)
    return Text(outcome, {"better": "green", "worse": "red"}.get(outcome, "dim"))
