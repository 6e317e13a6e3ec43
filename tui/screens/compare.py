"""Two runs, class by class."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Footer, Static

from db import queries
from db.records import ClassName, Run
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.show import safe, share
from tui.widgets.rows import Column, Rows


@dataclass(frozen=True)
class Pair:
    """A class in both runs; one of the two may lack it."""

    label: str
    name: str
    here: ClassName | None
    there: ClassName | None

    @property
    def change(self) -> float | None:
        """How much more accurate the other run is."""
        before = self.here.accuracy if self.here else None
        after = self.there.accuracy if self.there else None
        return None if before is None or after is None else after - before


class CompareScreen(BrowseScreen):
    """Accuracy and first sentence of each class in two runs, the largest change first."""

    HELP_TEXT = "Two runs of the file, class by class, the largest change of accuracy first."

    def __init__(self, opened: Opened, other: Run) -> None:
        super().__init__(opened)
        self._other = other

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        here, there = f"run {self.opened.run.id}", f"run {self._other.id}"
        yield Static(Text(f"{here} compared with {there}", style="bold"), id="title")
        columns: list[Column[Pair]] = [
            Column("name", "class", 14, lambda r, w: safe(r.name, "bold"), wide=True),
            Column("here", here, 7, lambda r, w: _accuracy(r.here), right=True),
            Column("there", there, 7, lambda r, w: _accuracy(r.there), right=True),
            Column("change", "change", 7, _change, right=True),
            Column("one", f"{here} says", 10, lambda r, w: _says(r.here), wide=True, least=70),
            Column("two", f"{there} says", 10, lambda r, w: _says(r.there), wide=True, least=70),
        ]
        yield Rows[Pair](columns, lambda r: r.label, id="pairs")
        yield Footer()

    def on_mount(self) -> None:
        """Ask for both runs."""
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for both runs again."""
        engine, one, two = self.opened.engine, self.opened.run.id, self._other.id
        self.ask(
            "pairs",
            lambda: pairs(queries.classes(engine, one), queries.classes(engine, two)),
            self.query_one(Rows).fill,
        )


def pairs(here: Sequence[ClassName], there: Sequence[ClassName]) -> list[Pair]:
    """Match the classes of two runs by label; the largest change first, then the unmatched."""
    others = {record.label: record for record in there}
    labels = {record.label for record in here}
    found = [Pair(r.label, r.name, r, others.get(r.label)) for r in here]
    found += [Pair(r.label, r.name, None, r) for r in there if r.label not in labels]
    return sorted(found, key=lambda pair: -abs(pair.change) if pair.change is not None else 1)


def _accuracy(record: ClassName | None) -> Text:
    return Text(share(record.accuracy if record else None))


def _change(pair: Pair, width: int) -> Text:
    if pair.change is None:
        return Text("-", style="dim")
    style = "green" if pair.change > 0 else "red" if pair.change < 0 else "dim"
    return Text(f"{100 * pair.change:+.0f}", style=style)


def _says(record: ClassName | None) -> Text:
    return safe(record.first_sentence if record else None)
