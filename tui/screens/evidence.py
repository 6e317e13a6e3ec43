"""All that a finding rests on: its images as a grid, or its regions as a list."""

from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from db import queries
from db.records import Finding, Region
from db.verdicts import Mark
from tui.drawing import finding_thumbs
from tui.navigation import Among, OpenImage, OpenVerdict
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.screens.regions import RegionsScreen
from tui.texts import safe
from tui.widgets.finding_text import tag
from tui.widgets.keys import Keys
from tui.widgets.record_table import Rows
from tui.widgets.thumbs import Thumb, Thumbs

# The audit keeps fewer; a file may hold more.
_MOST_REGIONS = 1000


def entitled(finding: Finding, rest: str) -> Text:
    """Return a finding as the title of its screen."""
    shown = safe(finding.title, "bold", longest=200)
    text = Text.assemble(tag(finding.plain, finding.colour), " ", shown, (f"   {rest}", "dim"))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


class FindingImagesScreen(BrowseScreen):
    """The images of a finding, page by page."""

    HELP_TEXT = (
        "The images that a finding rests on, the most telling first. Enter opens one, space picks "
        "several, v marks them, l calls their labels wrong, o lays the relevance over the pictures "
        "or takes it away."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "verdict('label wrong')", "Label wrong", id="evidence.label",
                tooltip="Call the label of the marked image wrong"),
        Binding("v", "verdict", "Verdict", id="evidence.verdict", tooltip="Judge the image"),
        Binding("o", "overlay", "Overlay", id="evidence.overlay", tooltip="Relevance on and off"),
    ]  # fmt: skip

    def __init__(self, opened: Opened, finding: Finding) -> None:
        super().__init__(opened)
        self._finding = finding
        self._offset = 0
        self._laid = False
        self._shown: tuple[object, ...] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="title")
        yield Thumbs(self.opened.picture, id="thumbs")
        yield Keys()

    def on_mount(self) -> None:
        """Go to the images; they are asked for when it is known how many fit."""
        self.query_one(Thumbs).focus()

    def reload(self) -> None:
        """Ask for the page again."""
        shown = self.query_one(Thumbs)
        if not shown.size.width:
            return
        page = (self._offset, shown.fits, self._laid)
        self.ask(
            "images",
            lambda: finding_thumbs(self.opened, self._finding, *page),
            lambda tiles: self._show(page, tiles),
        )

    def _show(self, page: tuple[int, int, bool], tiles: list[Thumb]) -> None:
        keep, self._shown = page == self._shown, page
        first, total = page[0] + 1, self._finding.images
        places = f"{first} to {page[0] + len(tiles)} of {total} images"
        self.query_one("#title", Static).update(entitled(self._finding, places))
        self.call_next(partial(self.query_one(Thumbs).show, tiles, keep=keep))

    def on_thumbs_resized(self) -> None:
        """Fill the page again."""
        self.reload()

    def on_thumbs_turned(self, message: Thumbs.Turned) -> None:
        """Turn the page."""
        offset = max(0, self._offset + message.step * self.query_one(Thumbs).fits)
        if offset < self._finding.images and offset != self._offset:
            self._offset = offset
            self.reload()

    def on_thumbs_chosen(self, message: Thumbs.Chosen) -> None:
        """Open an image, among those of the finding."""
        among = Among(finding_id=self._finding.id)
        self.post_message(OpenImage(self.opened, message.image.id, among))

    def action_overlay(self) -> None:
        """Show the photos with or without relevance."""
        self._laid = not self._laid
        self.reload()

    def action_verdict(self, mark: Mark | None = None) -> None:
        """Mark the picked images, else the one under the cursor; `mark` is offered first."""
        paths = [image.path for image in self.query_one(Thumbs).picked]
        if paths:
            shown = paths[0] if len(paths) == 1 else f"{len(paths)} images"
            self.post_message(OpenVerdict(self.opened, "image", paths, shown, mark))


class FindingRegionsScreen(RegionsScreen):
    """The regions of a finding, the most telling first."""

    HELP_TEXT = "The regions that a finding rests on. Enter opens the image of one."

    def __init__(self, opened: Opened, finding: Finding) -> None:
        super().__init__(opened)
        self._finding = finding

    def on_mount(self) -> None:
        """Ask for the regions."""
        total = f"{self._finding.regions} regions"
        self.query_one("#title", Static).update(entitled(self._finding, total))
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for the regions again."""
        engine, finding_id = self.opened.engine, self._finding.id

        def find() -> list[Region]:
            return queries.finding_regions(engine, finding_id, limit=_MOST_REGIONS)

        self.ask("regions", find, self.show_regions)
