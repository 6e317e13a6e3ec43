"""A table of records that draws only the lines on the screen."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

R = TypeVar("R")
# Fewer cells of a wide column say nothing.
_NARROWEST: Final = 4


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: `draw` gets a record and the width; `wide` columns share what is left over.

    Where there is no room for all, those of the highest `rank` are left out first, those of rank 0
    never: there the wide ones become narrower.
    """

    key: str
    title: str
    width: int
    draw: Callable[[R, int], Text]
    right: bool = False
    wide: bool = False
    rank: int = 0


class Rows(ScrollView, Generic[R], can_focus=True):
    """Records in columns under one header, with a cursor; `identity` tells records apart."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--header", "rows--cursor", "rows--odd"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="rows.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="rows.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="rows.pageup"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="rows.pagedown"),
        Binding("home,g", "edge(-1)", "First", show=False, id="rows.home"),
        Binding("end,G", "edge(1)", "Last", show=False, id="rows.end"),
        Binding("enter", "choose", "Open", id="rows.choose", tooltip="Open what is marked"),
    ]
    cursor: reactive[int] = reactive(0)

    @dataclass
    class Moved(Message):
        """The cursor stands on a record."""

        rows: "Rows[Any]"
        record: Any

        @property
        def control(self) -> "Rows[Any]":
            """The table."""
            return self.rows

    class Chosen(Moved):
        """A record was opened."""

    @dataclass
    class HeaderPressed(Message):
        """A column's header was clicked."""

        rows: "Rows[Any]"
        column: str

    @dataclass
    class NearEnd(Message):
        """The cursor comes near the end: the next page may be wanted."""

        rows: "Rows[Any]"

    def __init__(
        self,
        columns: Sequence[Column[R]],
        identity: Callable[[R], Hashable],
        *,
        empty: str = "nothing here",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = columns
        self.records: list[R] = []
        self.sorted_by: tuple[str, bool] | None = None
        self._identity = identity
        self._empty = empty

    @property
    def record(self) -> R | None:
        """The record under the cursor."""
        return self.records[self.cursor] if self.cursor < len(self.records) else None

    def fill(self, records: Sequence[R], *, keep: bool = True) -> None:
        """Show records; with `keep` the cursor stays on its record and its line."""
        before = self.record
        old = self.cursor
        self.records = list(records)
        self._resize()
        place = 0
        if keep and before is not None:
            wanted = self._identity(before)
            matches = (i for i, each in enumerate(self.records) if self._identity(each) == wanted)
            place = next(matches, min(old, max(0, len(self.records) - 1)))
            self.scroll_to(y=self.scroll_y + place - old, animate=False, force=True)
        else:
            self.scroll_to(y=0, animate=False, force=True)
        self.set_reactive(Rows.cursor, place)
        self.refresh()
        if self.record is not None and (
            before is None or self._identity(self.record) != self._identity(before) or not keep
        ):
            self.post_message(self.Moved(self, self.record))

    def extend(self, records: Sequence[R]) -> None:
        """Add the next page."""
        self.records.extend(records)
        self._resize()
        self.refresh()

    def select(self, identity: Hashable) -> None:
        """Put the cursor on a record, if it is there."""
        for place, record in enumerate(self.records):
            if self._identity(record) == identity:
                self.cursor = place

    def _resize(self) -> None:
        size = Size(self.size.width, len(self.records) + 1)
        same_bar = (size.height > self.container_size.height) == self.show_vertical_scrollbar
        same_place = size.width == self.virtual_size.width and not self.styles.auto_dimensions
        if same_bar and same_place:
            # The bar stays, or stays away: the screen need not be laid out again for each letter
            # of a filter.
            self.set_reactive(Rows.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._resize()
        self._into_sight()

    def watch_cursor(self, before: int, now: int) -> None:
        """Tell where the cursor stands."""
        top = round(self.scroll_y)
        self._into_sight()
        if round(self.scroll_y) == top:
            room = self._room
            self.refresh(*(Region(0, place - top + 1, room, 1) for place in (before, now)))
        else:
            self.refresh()
        if self.record is not None:
            self.post_message(self.Moved(self, self.record))
        if self.cursor >= len(self.records) - self.size.height:
            self.post_message(self.NearEnd(self))

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a record."""
        return max(0, min(cursor, len(self.records) - 1))

    def _into_sight(self) -> None:
        lines = max(1, self.size.height - 1)
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + lines:
            self.scroll_to(y=self.cursor - lines + 1, animate=False, force=True)

    def action_move(self, step: int) -> None:
        """Move the cursor by lines."""
        self.cursor += step

    def action_page(self, step: int) -> None:
        """Move the cursor by pages."""
        self.cursor += step * max(1, self.size.height - 2)

    def action_edge(self, step: int) -> None:
        """Move the cursor to the first or last record."""
        self.cursor = 0 if step < 0 else len(self.records) - 1

    def action_choose(self) -> None:
        """Open the record under the cursor."""
        if self.record is not None:
            self.post_message(self.Chosen(self, self.record))

    def on_click(self, event: events.Click) -> None:
        """Move to the line clicked, open it on a second click; sort by the header clicked."""
        if event.y == 0:
            at = 0
            for column, width in self._widths(self._room):
                if at <= event.x < at + width + 1:
                    self.post_message(self.HeaderPressed(self, column.key))
                at += width + 1
            return
        place = round(self.scroll_y) + event.y - 1
        if place >= len(self.records):
            return
        if place == self.cursor and event.chain > 1:
            self.action_choose()
        self.cursor = place

    @property
    def _room(self) -> int:
        """The width that the scroll bar leaves."""
        return self.scrollable_content_region.width

    def _widths(self, total: int) -> list[tuple[Column[R], int]]:
        shown = list(self.columns)
        while (spare := total + 1 - sum(column.width + 1 for column in shown)) < 0:
            rank = max(column.rank for column in shown)
            if not rank:
                break
            shown = [column for column in shown if column.rank != rank]
        extra = spare // max(1, sum(column.wide for column in shown))
        return [(c, max(_NARROWEST, c.width + extra) if c.wide else c.width) for c in shown]

    def render_line(self, y: int) -> Strip:
        """Return the header or one record as a line."""
        width = self._room
        widths = self._widths(width)
        if y == 0:
            cells = [self._title(column, space) for column, space in widths]
            return self._line(cells, width, self.get_component_rich_style("rows--header"))
        place = round(self.scroll_y) + y - 1
        if place >= len(self.records):
            told = not self.records and y == min(2, self.size.height - 1)
            text = Text(self._empty if told else "", style="dim")
            return self._line([_fit(text, width, False)], width, self.rich_style)
        record = self.records[place]
        cells = [_fit(column.draw(record, w), w, column.right) for column, w in widths]
        name = "rows--cursor" if place == self.cursor else "rows--odd" if place % 2 else ""
        style = self.get_component_rich_style(name) if name else self.rich_style
        return self._line(cells, width, style)

    def _title(self, column: Column[R], width: int) -> Text:
        title = column.title
        if self.sorted_by is not None and self.sorted_by[0] == column.key:
            title += "▼" if self.sorted_by[1] else "▲"
        return _fit(Text(title), width, column.right)

    def _line(self, cells: Sequence[Text], width: int, style: Style) -> Strip:
        console = self.app.console
        segments = []
        for cell in cells:
            if cell.style:
                # A text without spans forgets its own style when it is drawn.
                cell.stylize_before(cell.style)
            segments += [
                Segment(part.text, style + part.style if part.style else style)
                for part in cell.render(console)
            ]
            segments.append(Segment(" ", style))
        return Strip(segments[:-1]).adjust_cell_length(width, style)


def _fit(text: Text, width: int, right: bool) -> Text:
    """Bring a text, drawn for this line alone, to a width."""
    text.end = ""
    text.truncate(width, overflow="ellipsis")
    missing = width - text.cell_len
    if missing > 0:
        (text.pad_left if right else text.pad_right)(missing)
    return text
