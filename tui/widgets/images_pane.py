"""The images of a class, page by page, filtered."""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal, get_args

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from db.records import Confusion, Place, Show
from db.verdicts import Mark
from tui.show import safe
from tui.widgets.thumbs import Thumb, Thumbs

_ORDER: tuple[Show, ...] = ("all", "wrong", "right")
Judged = Mark | Literal["", "no verdict"]
"""Which verdict the images have; empty for any or none."""
_JUDGED: Final[tuple[Judged, ...]] = ("", "no verdict", *get_args(Mark))


class ImagesPane(Vertical):
    """Which images are shown, and the page of them. Paging is by key: `after` opens the page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filter", "All/wrong/right", id="images.filter", tooltip="Which images"),
        Binding("w", "wrong_as", "Wrong as", id="images.wrong", tooltip="Wrong as which class"),
        Binding("m", "judged", "Verdicts", id="images.verdict", tooltip="Only of one verdict"),
        Binding("r", "reverse", "Reverse", show=False, id="images.reverse", tooltip="Best first"),
        Binding("o", "overlay", "Overlay", id="images.overlay", tooltip="Relevance on and off"),
    ]

    class Wanted(Message):
        """A page is wanted, as the fields of the pane say."""

    def __init__(self, picture: type[Widget], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = picture
        self.filter: Show = "all"
        self.wrong_as: Confusion | None = None
        self.judged: Judged = ""
        self.descending = False
        self.overlay = True
        self.confusions: Sequence[Confusion] = ()
        self._pages: list[Place | None] = [None]
        self._next: Place | None = None

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield Static(id="images-head")
        yield Thumbs(self._picture, id="thumbs")

    @property
    def after(self) -> Place | None:
        """The place of the last image before this page."""
        return self._pages[-1]

    @property
    def limit(self) -> int:
        """How many images are wanted."""
        return self.query_one(Thumbs).fits

    async def show(self, thumbs: Sequence[Thumb], more: bool, *, keep: bool) -> None:
        """Show a page; `more` says that another follows."""
        last = thumbs[-1].image if thumbs else None
        self._next = (last.margin, last.id) if last is not None and more else None
        head = Text()
        if self.wrong_as is not None:
            head.append("wrong as ", style="dim")
            head.append_text(safe(self.wrong_as.predicted_name, "bold red", longest=60))
        else:
            head.append(self.filter, style="bold")
            head.append(" images", style="dim")
        if self.judged:
            head.append(f", {self.judged}", style="bold magenta")
        order = "best" if self.descending else "worst"
        head.append(f"   {order} margin first   page {len(self._pages)}", style="dim")
        head.append(" of more" if more else ", the last", style="dim")
        self.query_one("#images-head", Static).update(head)
        await self.query_one(Thumbs).show(thumbs, keep=keep)

    def narrow(self, confusion: Confusion | None) -> None:
        """Show the images taken for one class, or no longer only those."""
        self.wrong_as = confusion
        self._restart()

    def _restart(self) -> None:
        self._pages = [None]
        self.post_message(self.Wanted())

    def action_filter(self) -> None:
        """Show all, wrong or right images."""
        self.wrong_as = None
        self.filter = _ORDER[(_ORDER.index(self.filter) + 1) % len(_ORDER)]
        self._restart()

    def action_wrong_as(self) -> None:
        """Show the images taken for the next of the confusions."""
        known = list(self.confusions)
        place = known.index(self.wrong_as) + 1 if self.wrong_as in known else 0
        self.narrow(known[place] if place < len(known) else None)

    def action_judged(self) -> None:
        """Show the images of the next verdict, or of any."""
        self.judged = _JUDGED[(_JUDGED.index(self.judged) + 1) % len(_JUDGED)]
        self._restart()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.descending = not self.descending
        self._restart()

    def action_overlay(self) -> None:
        """Show the photos with or without relevance."""
        self.overlay = not self.overlay
        self.post_message(self.Wanted())

    def on_thumbs_turned(self, message: Thumbs.Turned) -> None:
        """Turn the page."""
        if message.step < 0 and len(self._pages) > 1:
            self._pages.pop()
        elif message.step > 0 and self._next is not None:
            self._pages.append(self._next)
        else:
            return
        self.post_message(self.Wanted())

    def on_thumbs_resized(self) -> None:
        """Fill the page anew."""
        self.post_message(self.Wanted())
