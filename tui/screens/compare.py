"""Two runs, class by class: what changed from the older to the newer, and whether by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from db import queries
from db.ordering import with_photos
from db.records import ClassName, Run
from mapcap.runs.comparison import Comparison, compare, verdict
from mapcap.runs.source import is_zero_shot, predicted_by
from mapcap.stats import Change
from tui.navigation import ClassPair, OpenApart, OpenClass
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.texts import OUTCOMES, probability, safe, share
from tui.widgets.keys import Keys
from tui.widgets.record_table import Column, Rows


@dataclass(frozen=True)
class Pair:
    """A class in both runs; one of the two may lack it, or they share no image of it."""

    label: str
    name: str
    older: ClassName | None
    newer: ClassName | None
    paired: Change | None = None

    @property
    def change(self) -> float | None:
        """The accuracy of the newer run minus that of the older one, over all of its images."""
        before = self.older.accuracy if self.older else None
        after = self.newer.accuracy if self.newer else None
        return None if before is None or after is None else after - before


class CompareScreen(BrowseScreen):
    """Accuracy of each class in two runs, the most significant change first."""

    HELP_TEXT = (
        "Two runs of the file, class by class, as `mapcap audit --run NEW --against OLD` has it: "
        "the change is the newer run minus the older one. Gained and lost count the images that "
        "both predicted; p is McNemar's exact test on them, q its false discovery rate over the "
        "classes. Smallest p first. Enter shows the errors of the class that one run alone makes."
    )

    def __init__(self, opened: Opened, other: Run) -> None:
        super().__init__(opened)
        self._older, self._newer = sorted(
            (opened.run, other), key=lambda run: (run.started, run.id)
        )

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        older, newer = f"run {self._older.id}", f"run {self._newer.id}"
        yield Static(Text(f"{older} → {newer}", style="bold"), id="title")
        columns: list[Column[Pair]] = [
            Column("name", "class", 14, lambda r, w: safe(r.name, "bold"), wide=True),
            Column("verdict", "verdict", 15, _verdict, rank=2),
            Column("older", older, 7, lambda r, w: _accuracy(r.older), right=True),
            Column("newer", newer, 7, lambda r, w: _accuracy(r.newer), right=True),
            Column("change", "change", 7, _change, right=True),
            Column("gained", "gained", 6, lambda r, w: _count(r, "gained"), right=True, rank=4),
            Column("lost", "lost", 6, lambda r, w: _count(r, "lost"), right=True, rank=4),
            Column("p", "p", 7, lambda r, w: _chance(r, "p"), right=True, rank=3),
            Column("q", "q", 7, lambda r, w: _chance(r, "q"), right=True, rank=5),
            Column(
                "one", f"{older} says", 20, lambda r, w: _first_sentence(r.older), wide=True, rank=6
            ),
            Column(
                "two", f"{newer} says", 20, lambda r, w: _first_sentence(r.newer), wide=True, rank=6
            ),
        ]
        yield Rows[Pair](columns, lambda r: r.label, id="pairs")
        yield Keys()

    def on_mount(self) -> None:
        """Ask for both runs."""
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for both runs again."""
        engine, older, newer = self.opened.engine, self._older.id, self._newer.id

        def find() -> tuple[Comparison, list[Pair]]:
            comparison = compare(engine, newer, older)
            before, now = (with_photos(queries.classes(engine, run)) for run in (older, newer))
            return comparison, pairs(before, now, comparison.classes)

        self.ask("pairs", find, lambda comparison: self._show(*comparison))

    def _show(self, comparison: Comparison, listed: list[Pair]) -> None:
        title = Text(f"run {self._older.id} → run {self._newer.id}", style="bold")
        predictors = f"  {predicted_by(self._older)} → {predicted_by(self._newer)}"
        if not (is_zero_shot(self._older) and is_zero_shot(self._newer)):
            title = title + safe(predictors, "cyan")
        overall = comparison.overall
        unlabelled = next((run for run in (self._older, self._newer) if run.unlabelled), None)
        if unlabelled is not None:
            title = title + Text(f"  run {unlabelled.id} has no labels: no test", style="yellow")
        elif overall is None:
            title = title + Text("  they share no predicted image: no test", style="yellow")
        else:
            # The verdict first: on a narrow terminal the end is cut off.
            title = title + Text("  ") + _outcome(overall)
            title += Text(
                f": {overall.gained:,} gained, {overall.lost:,} lost, p {probability(overall.p)}  "
                f"{overall.images:,} images in both, {overall.before:,} → {overall.now:,} correct"
            )
        self.query_one("#title", Static).update(title)
        self.query_one(Rows).fill(listed)

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open a class in both runs, or in the one that has it."""
        pair: Pair = message.record
        if pair.older is not None and pair.newer is not None:
            both = ClassPair(pair.older, pair.newer, pair.paired)
            self.post_message(OpenApart(self.opened, self._older, self._newer, both))
            return
        for run, record in ((self._newer, pair.newer), (self._older, pair.older)):
            if record is not None:
                self.post_message(OpenClass(self.opened.at(run), record))


def pairs(
    older: Sequence[ClassName], newer: Sequence[ClassName], changes: Mapping[int, Change]
) -> list[Pair]:
    """Match the classes of two runs by label; `changes` are by the newer run's class ids.

    The smallest p first; then those without a test, the largest change first.
    """
    before = {record.label: record for record in older}
    labels = {record.label for record in newer}
    rows = [Pair(r.label, r.name, before.get(r.label), r, changes.get(r.id)) for r in newer] + [
        Pair(r.label, r.name, r, None) for r in older if r.label not in labels
    ]

    def key(pair: Pair) -> tuple[float, float, str]:
        p = 2.0 if pair.paired is None else pair.paired.p
        return p, -abs(pair.change) if pair.change is not None else 1.0, pair.name

    return sorted(rows, key=key)


def _outcome(change: Change) -> Text:
    outcome = verdict(change)
    return Text(outcome, style=OUTCOMES[outcome])


def _verdict(pair: Pair, width: int) -> Text:
    return Text("-", style="dim") if pair.paired is None else _outcome(pair.paired)


def _accuracy(record: ClassName | None) -> Text:
    return Text(share(record.accuracy if record else None))


def _change(pair: Pair, width: int) -> Text:
    if pair.change is None:
        return Text("-", style="dim")
    style = "green" if pair.change > 0 else "red" if pair.change < 0 else "dim"
    return Text(f"{100 * pair.change:+.0f}", style=style)


def _count(pair: Pair, name: str) -> Text:
    if pair.paired is None:
        return Text("-", style="dim")
    return Text(str(getattr(pair.paired, name)))


def _chance(pair: Pair, name: str) -> Text:
    if pair.paired is None:
        return Text("-", style="dim")
    return Text(probability(getattr(pair.paired, name)))


def _first_sentence(record: ClassName | None) -> Text:
    return safe(record.first_sentence if record else None)
