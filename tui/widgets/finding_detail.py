"""One finding in full: its figures in words, and beside them the pictures it rests on."""

from collections.abc import Sequence
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from db.records import Finding, Image
from tui.texts import safe
from tui.widgets.finding_text import Figures, finding_lines, tag
from tui.widgets.thumbs import Thumb, Thumbs


def pictures(finding: Finding) -> int:
    """Return how many pictures a finding has: its evidence, else another class's images."""
    return finding.regions or finding.images or int(Figures(finding.figures).number("count") or 0)


class Evidence(Thumbs, can_focus=False):
    """The pictures of a finding; their cursor is moved from the list of findings."""

    EMPTY: ClassVar[str] = ""
    # A caption stands below.
    LINES: ClassVar[int] = 3
    LEAST_HEIGHT: ClassVar[int] = 12


class FindingDetail(Horizontal):
    """A finding, and a page of its evidence."""

    def __init__(self, picture: type[Widget]) -> None:
        super().__init__()
        self._picture = picture
        self._finding: Finding | None = None

    def compose(self) -> ComposeResult:
        """Lay out the words and the pictures."""
        with VerticalScroll(id="told"):
            yield Static(id="finding")
            yield Static(id="shown")
        yield Evidence(self._picture, id="evidence")

    @property
    def fits(self) -> int:
        """How many pictures fit."""
        return self.query_one(Evidence).fits

    @property
    def image(self) -> Image | None:
        """The image of the marked picture."""
        return self.query_one(Evidence).selected

    def tell(self, finding: Finding) -> None:
        """Show the words of a finding."""
        self._finding = finding
        title = Text.assemble(tag(finding.plain, finding.colour), " ", safe(finding.title, "bold"))
        self.query_one("#finding", Static).update(Group(title, *finding_lines(finding)))
        self.query_one("#told").scroll_home(animate=False)

    async def show(self, thumbs: Sequence[Thumb], offset: int, total: int, *, keep: bool) -> None:
        """Show a page of pictures, of which the first is number `offset` of `total`."""
        if self._finding is None:
            return
        places = f"images {offset + 1}-{offset + len(thumbs)} of {total}"
        self.query_one("#shown", Static).update(Text(f"\n{places}" if thumbs else "", style="dim"))
        await self.query_one(Evidence).show(thumbs, keep=keep)

    async def clear(self) -> None:
        """Show nothing: there is no finding."""
        self._finding = None
        for name in ("#finding", "#shown"):
            self.query_one(name, Static).update("")
        await self.query_one(Evidence).show((), keep=False)
