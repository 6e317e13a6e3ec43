"""The images of a class, page by page, filtered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from db.records import Confusion, Place, Show
from db.verdicts import MARKS, Mark
from tui.pictures import coarse
from tui.texts import safe
from tui.widgets.thumbs import Thumb, Thumbs

_ORDER: tuple[Show, ...] = ("all", "wrong", "right")
_NAMES: dict[Show, str] = {"all": "all", "wrong": "misclassified", "right": "correct"}
Judged = Mark | Literal["", "no verdict"]
"""Which verdict the images have; empty for any or none."""
_JUDGED: Final[tuple[Judged, ...]] = ("", "no verdict", *MARKS["image"])


@dataclass(frozen=True)
class ImageQuery:
    """Which page of which images is shown, and whether with relevance; see `queries.images`."""

    show: Show
    wrong_as: int | None
    judged: Judged
    descending: bool
    after: Place | None
    overlay: bool
    limit: int


class ImagesPane(Vertical):
    """Which images are shown, and the page of them. Paging is by key: `after` opens the page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filter", "All/errors/correct", id="images.filter", tooltip="Which images"),
        Binding(
            "w",
            "wrong_as",
            "Predicted as",
            id="images.wrong",
            tooltip="Errors predicted as which class",
        ),
        Binding("m", "judged", "Verdicts", id="images.verdict", tooltip="Only of one verdict"),
        Binding("r", "reverse", "Reverse", show=False, id="images.reverse", tooltip="Best first"),
        Binding("o", "overlay", "Overlay", id="images.overlay", tooltip="Relevance on and off"),
    ]

    class Wanted(Message):
        """A page is wanted, as the fields of the pane say."""

    def __init__(self, picture: type[Widget], *, labelled: bool) -> None:
        super().__init__()
        self._picture = picture
        self._labelled = labelled
        self.filter: Show = "all"
        self.wrong_as: Confusion | None = None
        self.judged: Judged = ""
        self.descending = False
        self.overlay = True
        self.confusions: Sequence[Confusion] = ()
        # Of each page up to this one: the place of the last image before it, and how many are.
        self._pages: list[tuple[Place | None, int]] = [(None, 0)]
        self._next: tuple[Place, int] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield Static(id="images-head")
        yield Thumbs(self._picture, id="thumbs")

    @property
    def wanted(self) -> ImageQuery:
        """What is to be shown."""
        return ImageQuery(
            self.filter,
            self.wrong_as.predicted_class_id if self.wrong_as is not None else None,
            self.judged,
            self.descending,
            self._pages[-1][0],
            self.overlay,
            self.query_one(Thumbs).fits,
        )

    @property
    def narrowed(self) -> bool:
        """Whether some images are left out."""
        return self.wrong_as is not None or self.filter != "all" or self.judged != ""

    def on_mount(self) -> None:
        """Begin without relevance where the colours are too few to see the photo under it."""
        self.overlay = not coarse(self.app, self._picture)

    async def show(self, thumbs: Sequence[Thumb], total: int, *, keep: bool) -> None:
        """Show a page; `total` images are on all pages together."""
        last, before = thumbs[-1].image if thumbs else None, self._pages[-1][1]
        end = before + len(thumbs)
        self._next = None
        if last is not None and end < total:
            self._next = ((last.margin, last.id), end)
        head = Text()
        if self.wrong_as is not None:
            head.append("predicted as ", style="dim")
            head.append_text(safe(self.wrong_as.predicted_name, "bold red", longest=60))
        else:
            head.append(_NAMES[self.filter], style="bold")
            head.append(" images", style="dim")
        if self.judged:
            head.append(f", {self.judged}", style="bold magenta")
        order = "best" if self.descending else "worst"
        if thumbs:
            head.append(f"   {before + 1}-{end} of {total:,}")
        if self._labelled:
            head.append(f"   {order} margin first", style="dim")
        self.query_one("#images-head", Static).update(head, layout=False)
        await self.query_one(Thumbs).show(thumbs, keep=keep)

    def narrow(self, confusion: Confusion | None) -> None:
        """Show the images predicted as one class, or no longer only those."""
        self.wrong_as = confusion
        self._restart()

    def _restart(self) -> None:
        self._pages = [(None, 0)]
        self.post_message(self.Wanted())

    def reset(self) -> None:
        """Show all images."""
        self.filter, self.judged = "all", ""
        self.narrow(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to part correct from misclassified images only where that is known."""
        return self._labelled or action not in ("filter", "wrong_as", "reverse")

    def action_filter(self) -> None:
        """Show all, wrong or correct images."""
        self.wrong_as = None
        self.filter = _ORDER[(_ORDER.index(self.filter) + 1) % len(_ORDER)]
        self._restart()

    def action_wrong_as(self) -> None:
        """Show the images predicted as the next of the confusions."""
        confusions = list(self.confusions)
        place = confusions.index(self.wrong_as) + 1 if self.wrong_as in confusions else 0
        self.narrow(confusions[place] if place < len(confusions) else None)

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
        """Fill the page again."""
        self.post_message(self.Wanted())
