"""One box over the captions, class names and image paths of the run."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Input

from db import queries
from db.records import CaptionHit, ClassName, Image
from tui.screens.base import BrowseScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.places import PlacesScreen
from tui.show import safe, share
from tui.widgets.captions_pane import highlighted
from tui.widgets.rows import Column, Rows

_MOST = 50


@dataclass(frozen=True)
class Hit:
    """A class, a caption or an image that was found."""

    kind: str
    record: ClassName | CaptionHit | Image

    @property
    def id(self) -> int:
        """The id of what was found."""
        return self.record.caption_id if isinstance(self.record, CaptionHit) else self.record.id


class SearchScreen(BrowseScreen):
    """Search as you type."""

    HELP_TEXT = (
        "Searches the class names and image paths for what you type as it stands, and the captions "
        "for all words (the last may be begun only). Down goes to the list, enter opens."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="search.back", tooltip="The screen before"),
        Binding("down", "to_list", "To the list", show=False, id="search.down"),
        Binding("slash", "to_box", "To the box", id="search.box", tooltip="Type other words"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Input(placeholder="captions, class names, image paths", id="box")
        columns: list[Column[Hit]] = [
            Column("kind", "", 8, lambda r, w: Text(r.kind, style="dim")),
            Column("text", "found", 20, _text, wide=True),
            Column("detail", "", 24, _detail, least=60),
        ]
        yield Rows[Hit](columns, lambda r: (r.kind, r.id), empty="nothing found", id="hits")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to type."""
        self.query_one(Input).focus()

    def reload(self) -> None:
        """Search again."""
        words = self.query_one(Input).value.strip()
        self.ask("search", partial(self._search, words), partial(self._show, keep=True))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        words = event.value.strip()
        self.ask("search", partial(self._search, words), partial(self._show, keep=False))

    def _search(self, words: str) -> list[Hit]:
        if not words:
            return []
        engine, run_id = self.opened.engine, self.opened.run.id
        classes = queries.search_classes(engine, run_id, words, limit=_MOST)
        captions = queries.search_captions(engine, run_id, words, limit=_MOST)
        images = queries.search_images(engine, run_id, words, limit=_MOST)
        return [
            *(Hit("class", record) for record in classes),
            *(Hit("caption", hit) for hit in captions),
            *(Hit("image", image) for image in images),
        ]

    def _show(self, hits: list[Hit], *, keep: bool) -> None:
        self.query_one(Rows).fill(hits, keep=keep)

    def on_input_submitted(self) -> None:
        """Go to the list."""
        self.action_to_list()

    def action_to_list(self) -> None:
        """Go to the list."""
        self.query_one(Rows).focus()

    def action_to_box(self) -> None:
        """Go back to the box."""
        self.query_one(Input).focus()

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open what was found."""
        record = message.record.record
        screen: BrowseScreen
        if isinstance(record, ClassName):
            screen = ClassScreen(self.opened, record)
        elif isinstance(record, Image):
            screen = ImageScreen(self.opened, record.id)
        else:
            screen = PlacesScreen(self.opened, record.caption_id, record.text)
        self.app.push_screen(screen)


def _text(hit: Hit, width: int) -> Text:
    record = hit.record
    if isinstance(record, CaptionHit):
        return highlighted(record)
    return safe(record.name if isinstance(record, ClassName) else record.path[-width:])


def _detail(hit: Hit, width: int) -> Text:
    record = hit.record
    if isinstance(record, CaptionHit):
        return Text(f"{record.count}× in {record.classes} classes", style="dim")
    if isinstance(record, ClassName):
        return Text(f"{share(record.accuracy)} of {record.predicted} right", style="dim")
    return safe(record.class_name, "dim", longest=60)
