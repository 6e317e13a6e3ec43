"""Regions in a table, with the picture of the one under the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image as Picture
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from db.records import Region
from tui.pictures import show
from tui.texts import safe
from tui.widgets.record_table import Column, Rows


@dataclass(frozen=True)
class RegionRow:
    """A region, and how like the one searched for it is (None where nothing was searched)."""

    region: Region
    cosine: float | None = None


class RegionList(Horizontal):
    """A table of regions; beside it where the region is in its image."""

    def __init__(self, picture: type[Widget], *, cosines: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = picture
        self._cosines = cosines

    def compose(self) -> ComposeResult:
        """Lay out the list and the picture."""
        columns = _columns(self._cosines, classes=True)
        yield Rows[RegionRow](columns, lambda r: r.region.id, empty="no regions", id="found")
        with Vertical(id="beside"):
            yield self._picture(classes="frame-picture")
            yield Static(id="where")

    def show(self, regions: Sequence[RegionRow]) -> None:
        """Show regions."""
        rows: Rows[RegionRow] = self.query_one(Rows)
        classes = {each.region.class_id for each in regions}
        rows.columns = _columns(self._cosines, classes=len(classes) > 1)
        rows.fill(regions)

    def picture(self, region: Region, drawn: Picture | None) -> None:
        """Show where a region is."""
        show(self.query_one(".frame-picture"), drawn)
        self.query_one("#where", Static).update(
            safe(region.caption, "bold", longest=200) + Text("\n") + safe(region.path, "dim")
        )


def _columns(cosines: bool, classes: bool) -> list[Column[RegionRow]]:
    """Return the columns; the width is the captions'."""
    columns: list[Column[RegionRow]] = [
        Column("correct", "", 1, _mark),
        Column("caption", "caption", 24, lambda r, w: safe(r.region.caption), wide=True),
        Column("name", "class", 14, lambda r, w: safe(r.region.class_name), rank=1),
        Column("role", "for", 9, lambda r, w: Text(r.region.role, style="dim"), rank=2),
        Column("path", "image", 20, lambda r, w: _tail(r.region.path, w), rank=3),
    ]
    if not classes:
        columns = [column for column in columns if column.key != "name"]
    if cosines:
        columns.insert(0, Column("cosine", "cosine", 6, _cosine, right=True))
    return columns


def _cosine(row: RegionRow, width: int) -> Text:
    return Text("" if row.cosine is None else f"{row.cosine:.3f}")


def _mark(row: RegionRow, width: int) -> Text:
    correct = row.region.correct
    if correct is None:
        return Text("")
    return Text("✓", style="green") if correct else Text("✗", style="red")


def _tail(path: str, width: int) -> Text:
    return safe(path if len(path) <= width else "…" + path[1 - width :], "dim")
