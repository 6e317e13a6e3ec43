"""One box over the captions, class names and image paths of the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from db import queries
from db.records import CaptionHit, ClassName, Image
from mapcap.text import counted
from tui.navigation import Among, Navigation, OpenCaption, OpenClass, OpenImage
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.texts import safe, share
from tui.widgets.captions_pane import highlighted
from tui.widgets.keys import Keys
from tui.widgets.record_table import Column, Rows

_MOST = 50
Finder = Callable[..., Sequence[ClassName | CaptionHit | Image]]
# In the order in which they are listed.
_FINDERS: dict[str, Finder] = {
    "class": queries.search_classes,
    "caption": queries.search_captions,
    "image": queries.search_images,
}


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
        "that contain all words; the last may be a prefix. Down goes to the list, enter opens."
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
            Column("detail", "", 24, _detail, rank=1),
        ]
        yield Rows[Hit](columns, lambda r: (r.kind, r.id), empty="nothing found", id="hits")
        yield Keys()

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._words = ""
        self._hits: dict[str, list[Hit]] = {}

    def on_mount(self) -> None:
        """Begin to type."""
        self.query_one(Input).focus()

    def reload(self) -> None:
        """Search again."""
        self._search(self.query_one(Input).value.strip())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        self._search(event.value.strip())

    def _search(self, words: str) -> None:
        """Ask for the three kinds apart: a million paths are not to keep a class waiting."""
        if words != self._words:
            self._hits = {}
        keep, self._words = words == self._words, words
        engine, run_id = self.opened.engine, self.opened.run.id
        for kind, find in _FINDERS.items():

            def hits(kind: str = kind, find: Finder = find) -> list[Hit]:
                records = find(engine, run_id, words, limit=_MOST) if words else []
                return [Hit(kind, record) for record in records]

            self.ask(kind, hits, partial(self._show, kind, keep))

    def _show(self, kind: str, keep: bool, hits: list[Hit]) -> None:
        rows = self.query_one(Rows)
        # Where nobody has moved the cursor, it stands on the first, also if that comes last.
        keep = keep or (bool(self._hits) and rows.cursor > 0)
        self._hits[kind] = hits
        hits = [hit for each in _FINDERS for hit in self._hits.get(each, [])]
        # Nothing is found when none of the three has found anything.
        if hits or len(self._hits) == len(_FINDERS):
            rows.fill(hits, keep=keep)

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
        wanted: Navigation
        if isinstance(record, ClassName):
            wanted = OpenClass(self.opened, record)
        elif isinstance(record, Image):
            wanted = OpenImage(self.opened, record.id, Among())
        else:
            wanted = OpenCaption(self.opened, (record.caption_id,), record.text)
        self.post_message(wanted)


def _text(hit: Hit, width: int) -> Text:
    record = hit.record
    if isinstance(record, CaptionHit):
        return highlighted(safe(record.text), record.spans)
    return safe(record.name if isinstance(record, ClassName) else record.path[-width:])


def _detail(hit: Hit, width: int) -> Text:
    record = hit.record
    if isinstance(record, CaptionHit):
        where = counted(record.classes, "class")
        # Only the maps for the own class are counted.
        what = f"{record.count}× in {where}" if record.count else "predicted or contrast"
        return Text(what, style="dim")
    if isinstance(record, ClassName):
        if record.correct is None or not record.predicted:
            return Text(counted(record.predicted, "image"), style="dim")
        return Text(f"{share(record.accuracy)} of {record.predicted} correct", style="dim")
    return safe(record.class_name, "dim", longest=60)
