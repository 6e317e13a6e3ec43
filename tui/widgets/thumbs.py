"""A page of thumbnails in a grid, with a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from PIL.Image import Image as Picture
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from db.records import Image
from tui.pictures import show
from tui.texts import safe

# Lines of a page from which on there is room for more than the least thumbnails.
_HIGH: Final = 40
# By how much they grow, at most, to fill what is left over: rather more of them than larger ones.
_STRETCH: Final = 1.3


@dataclass(frozen=True)
class Thumb:
    """An image of the page with its small picture, and the caption of what is outlined in it."""

    image: Image
    picture: Picture | None
    marked: bool
    caption: str | None = None


class ThumbCell(Vertical):
    """One thumbnail with a line under it, and the caption if it has one."""

    def __init__(self, thumb: Thumb, picture: type[Widget]) -> None:
        super().__init__()
        self.thumb = thumb
        self._picture = picture(classes="thumb")
        self._line = Static()
        self._caption = Static(classes="thumb-caption")
        self.turn_to(thumb)

    def compose(self) -> ComposeResult:
        """Lay out the cell."""
        yield self._picture
        yield self._line
        if self.thumb.caption is not None:
            yield self._caption

    def turn_to(self, thumb: Thumb) -> None:
        """Show another image, with a caption if the first has one: nothing is laid out again."""
        self.thumb = thumb
        show(self._picture, thumb.picture)
        self._line.update(_caption(thumb), layout=False)
        self._caption.update(safe(thumb.caption, "italic", longest=120), layout=False)


class Thumbs(Grid, can_focus=True):
    """The thumbnails of one page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "Left", show=False, id="thumbs.left"),
        Binding("right", "move(1, 0)", "Right", show=False, id="thumbs.right"),
        Binding("up", "move(0, -1)", "Up", show=False, id="thumbs.up"),
        Binding("down", "move(0, 1)", "Down", show=False, id="thumbs.down"),
        Binding("enter", "choose", "Open", id="thumbs.choose", tooltip="Open the image"),
        Binding("space", "pick", "Pick", id="thumbs.pick", tooltip="Pick several for one verdict"),
        Binding("pagedown,n", "turn(1)", "Next", id="thumbs.next", tooltip="Next page"),
        Binding("pageup,p", "turn(-1)", "Previous", id="thumbs.previous", tooltip="Page before"),
    ]
    LINES: ClassVar[int] = 1
    """Lines of text under a picture."""
    LEAST_HEIGHT: ClassVar[int] = 9
    """Of a thumbnail with its text; larger where the screen is."""
    LEAST_WIDTH: ClassVar[int] = 20
    EMPTY: ClassVar[str] = "no such images"
    cursor: reactive[int] = reactive(0)

    @dataclass
    class Chosen(Message):
        """An image was opened."""

        image: Image

    @dataclass
    class Turned(Message):
        """Another page is wanted: 1 the next, -1 the one before."""

        step: int

    class Resized(Message):
        """Another number of thumbnails fits now."""

    def __init__(self, picture: type[Widget], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = picture
        self.thumbs: list[Thumb] = []
        self._picked: set[int] = set()
        self._fitted = 0

    @property
    def _height(self) -> float:
        """The least height of a thumbnail on a screen of this size."""
        return self.LEAST_HEIGHT * max(1.0, self.size.height / _HIGH)

    @property
    def rows(self) -> int:
        """How many thumbnails stand one above the other."""
        return max(1, int(self.size.height / self._height))

    @property
    def columns(self) -> int:
        """How many thumbnails stand side by side: about as wide as they are high, in pixels."""
        high = min(self.size.height // self.rows, int(_STRETCH * self._height)) - self.LINES
        return max(1, self.size.width // max(self.LEAST_WIDTH, 2 * high + 2))

    @property
    def fits(self) -> int:
        """How many thumbnails fit."""
        return self.columns * self.rows

    async def show(self, thumbs: Sequence[Thumb], *, keep: bool) -> None:
        """Show a page."""
        before = [(thumb.image, thumb.caption) for thumb in self.thumbs]
        if keep and thumbs and [(thumb.image, thumb.caption) for thumb in thumbs] == before:
            same_look = all(
                new.marked == old.marked and (new.picture is None) == (old.picture is None)
                for new, old in zip(thumbs, self.thumbs, strict=True)
            )
            if same_look:
                return
        self.thumbs, self._picked = list(thumbs), set()
        self._divide()
        cells = list(self.query(ThumbCell))
        alike = [cell.thumb.caption is None for cell in cells] == [
            thumb.caption is None for thumb in thumbs
        ]
        if cells and alike:
            for cell, thumb in zip(cells, thumbs, strict=True):
                cell.turn_to(thumb)
        else:
            await self._mount(thumbs)
        self.cursor = min(self.cursor, max(0, len(thumbs) - 1)) if keep else 0
        self.watch_cursor()

    async def _mount(self, thumbs: Sequence[Thumb]) -> None:
        async with self.batch():
            await self.remove_children()
            await self.mount_all([ThumbCell(thumb, self._picture) for thumb in thumbs])
            if not thumbs:
                await self.mount(Static(Text(self.EMPTY, style="dim")))

    def _divide(self) -> None:
        self.styles.grid_size_columns, self.styles.grid_size_rows = self.columns, self.rows

    @property
    def selected(self) -> Image | None:
        """The image under the cursor."""
        return self.thumbs[self.cursor].image if self.cursor < len(self.thumbs) else None

    @property
    def picked(self) -> list[Image]:
        """The picked images of the page, without any the one under the cursor."""
        chosen = self._picked or {self.cursor}
        return [thumb.image for place, thumb in enumerate(self.thumbs) if place in chosen]

    @property
    def picking(self) -> bool:
        """Whether any image is picked."""
        return bool(self._picked)

    def action_pick(self) -> None:
        """Pick the image under the cursor, or let it go."""
        if self.selected is not None:
            self._picked ^= {self.cursor}
            self.watch_cursor()

    def watch_cursor(self) -> None:
        """Mark the thumbnail under the cursor."""
        for place, cell in enumerate(self.query(ThumbCell)):
            cell.set_class(place == self.cursor, "-cursor")
            cell.set_class(place in self._picked, "-picked")

    def action_move(self, across: int, down: int) -> None:
        """Move the cursor; past the ends of the page it turns the page."""
        wanted = self.cursor + across + down * self.columns
        if wanted < 0:
            self.post_message(self.Turned(-1))
        elif wanted >= len(self.thumbs):
            self.post_message(self.Turned(1))
        else:
            self.cursor = wanted

    def action_turn(self, step: int) -> None:
        """Ask for another page."""
        self.post_message(self.Turned(step))

    def action_choose(self) -> None:
        """Open the image under the cursor."""
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Move to the thumbnail clicked; open it on a second click."""
        for place, cell in enumerate(self.query(ThumbCell)):
            if cell.region.contains(event.screen_x, event.screen_y):
                if event.chain > 1:
                    self.post_message(self.Chosen(cell.thumb.image))
                self.cursor = place

    def on_resize(self, event: Any) -> None:
        """Ask for as many thumbnails as fit now."""
        self._divide()
        if self.fits != self._fitted and self.size.width:
            self._fitted = self.fits
            self.post_message(self.Resized())


def _caption(thumb: Thumb) -> Text:
    image = thumb.image
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("✎ " if thumb.marked else "", style="magenta")
    if image.error is not None:
        text.append("unreadable", style="yellow")
    elif image.unlabelled:
        text.append_text(safe(image.path.rpartition("/")[2], "dim", longest=40))  # no label
    elif image.correct is None:
        text.append("not predicted", style="dim")
    elif image.correct:
        sure = "" if image.true_probability is None else f" {image.true_probability:.2f}"
        text.append(f"✓{sure}", style="green")
    else:
        text.append("✗ ", style="red")
        text.append_text(safe(image.predicted_name, "red", longest=40))
    return text
