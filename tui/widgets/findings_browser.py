"""Findings in a table, and the one under the cursor in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from db.records import Finding, Image
from db.verdicts import Mark
from tui.texts import safe
from tui.widgets.finding_detail import Evidence, FindingDetail
from tui.widgets.finding_text import TAG_WIDTH, tag
from tui.widgets.record_table import Column, Rows
from tui.widgets.thumbs import Thumb, Thumbs


@dataclass(frozen=True)
class Listed:
    """A finding, the name and label of its class, and the verdict on it."""

    finding: Finding
    class_name: str
    label: str
    mark: Mark | None


class FindingsBrowser(Vertical):
    """The table and the evidence; what is opened and which pictures are wanted go up as messages.

    The pictures' cursor moves by left and right while the table keeps the focus.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right", "picture(1)", "Picture", id="findings.next", tooltip="Next picture"),
        Binding("p,left", "picture(-1)", "Picture", show=False, id="findings.previous",
                tooltip="Picture before"),
        Binding("o", "open", "Open it", id="findings.open", tooltip="Open the marked picture"),
        Binding("i", "images", "Images", show=False, id="findings.images",
                tooltip="All images of the finding"),
        Binding("l", "doubt", "Label wrong", id="findings.label",
                tooltip="Call the label of the marked picture wrong"),
        Binding("v", "judge", "Judge", id="findings.verdict",
                tooltip="Judge the finding: true or noise"),
        Binding("y", "copy", "Copy", show=False, id="findings.copy", tooltip="Copy the finding"),
    ]  # fmt: skip

    @dataclass
    class Wanted(Message):
        """A page of a finding's pictures is wanted."""

        finding: Finding
        offset: int
        limit: int

    @dataclass
    class Chosen(Message):
        """The evidence of a finding was asked for; `images` even where it has regions."""

        finding: Finding
        images: bool

    @dataclass
    class ImageOpened(Message):
        """An image of a finding was opened."""

        finding: Finding
        image: Image

    @dataclass
    class Doubted(Message):
        """The label of an image is to be called wrong."""

        image: Image

    @dataclass
    class Judged(Message):
        """A finding is to be judged."""

        listed: Listed

    @dataclass
    class Copied(Message):
        """A finding is to be copied."""

        text: str

    def __init__(
        self,
        picture: type[Widget],
        *,
        labelled: bool,
        classes_named: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._picture = picture
        self._classes_named = classes_named
        self._labelled = labelled
        self._offset = 0
        self._shown: tuple[Any, int] | None = None
        self._total = 0

    def compose(self) -> ComposeResult:
        """Lay out the table over the detail."""
        columns: list[Column[Listed]] = [
            Column("kind", "kind", TAG_WIDTH, lambda r, w: _tag(r.finding), rank=1),
            Column("title", "finding", 30, _title, wide=True),
        ]
        if self._labelled:
            columns.append(
                Column("costs", "costs", 6, lambda r, w: _cost(r.finding), right=True, rank=2)
            )
        empty = "no findings"
        if self._classes_named:
            empty = "no finding costs accuracy: notes are in their classes"
            columns.insert(0, Column("class", "class", 14, lambda r, w: safe(r.class_name, "bold")))
        yield Rows[Listed](columns, lambda r: _identity(r.finding), empty=empty, id="findings")
        yield FindingDetail(self._picture)

    @property
    def finding(self) -> Finding | None:
        """The finding under the cursor."""
        record: Listed | None = self.query_one(Rows).record
        return record.finding if record is not None else None

    def show(self, listed: Sequence[Listed], *, keep: bool = True) -> None:
        """Show findings; with `keep` the cursor stays on its finding."""
        rows: Rows[Listed] = self.query_one(Rows)
        before = rows.record
        rows.fill(listed, keep=keep)
        if rows.record is None:
            self.call_next(self.query_one(FindingDetail).clear)
        elif (
            keep
            and before is not None
            and _identity(before.finding) == _identity(rows.record.finding)
        ):
            # The cursor has not moved, but the finding may have been made again.
            self._tell(rows.record.finding, self._offset)

    def select(self, finding: Finding) -> None:
        """Put the cursor on a finding, if it is there."""
        self.query_one(Rows).select(_identity(finding))

    async def show_pictures(
        self, finding: Finding, offset: int, thumbs: Sequence[Thumb], total: int
    ) -> None:
        """Show a page of `total` pictures, unless another finding is looked at by now."""
        if self.finding is None or self.finding.id != finding.id:
            return
        self._total = total
        page = (_identity(self.finding), offset)
        keep, self._shown = page == self._shown, page
        await self.query_one(FindingDetail).show(thumbs, offset, total, keep=keep)

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Tell of the finding under the cursor."""
        message.stop()
        self._tell(message.record.finding, 0)

    def _tell(self, finding: Finding, offset: int) -> None:
        self._offset = offset
        detail = self.query_one(FindingDetail)
        detail.tell(finding)
        # Before there is a layout nothing fits; `Resized` follows it.
        if detail.query_one(Evidence).size.width:
            self.post_message(self.Wanted(finding, offset, detail.fits))

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Ask for the evidence."""
        message.stop()
        self.post_message(self.Chosen(message.record.finding, images=False))

    def on_thumbs_chosen(self, message: Thumbs.Chosen) -> None:
        """Open the image that was clicked."""
        message.stop()
        self.action_open()

    def on_thumbs_turned(self, message: Thumbs.Turned) -> None:
        """Turn to the next pictures or those before."""
        message.stop()
        finding, fits = self.finding, self.query_one(FindingDetail).fits
        if finding is None:
            return
        offset = max(0, self._offset + message.step * fits)
        if offset < self._total and offset != self._offset:
            self._tell(finding, offset)

    def on_thumbs_resized(self, message: Thumbs.Resized) -> None:
        """Fill the page again."""
        message.stop()
        if self.finding is not None:
            self._tell(self.finding, 0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to doubt a label only where there are labels."""
        return self._labelled or action != "doubt"

    def action_picture(self, step: int) -> None:
        """Mark the next picture or the one before."""
        self.query_one(Evidence).action_move(step, 0)

    def action_open(self) -> None:
        """Open the marked picture."""
        image = self.query_one(FindingDetail).image
        if self.finding is not None and image is not None:
            self.post_message(self.ImageOpened(self.finding, image))

    def action_images(self) -> None:
        """Ask for all images of the finding."""
        if self.finding is not None:
            self.post_message(self.Chosen(self.finding, images=True))

    def action_judge(self) -> None:
        """Ask for the verdict on the finding."""
        listed: Listed | None = self.query_one(Rows).record
        if listed is not None:
            self.post_message(self.Judged(listed))

    def action_copy(self) -> None:
        """Copy the finding: its class and its title."""
        listed: Listed | None = self.query_one(Rows).record
        if listed is not None:
            self.post_message(self.Copied(f"{listed.class_name}: {listed.finding.title}"))

    def action_doubt(self) -> None:
        """Call the label of the marked picture wrong."""
        image = self.query_one(FindingDetail).image
        if image is not None:
            self.post_message(self.Doubted(image))


def _identity(finding: Finding) -> Any:
    # Not the id: an audit made again stores its findings again.
    return finding.class_id, finding.kind, finding.subject or finding.title


def _tag(finding: Finding) -> Text:
    return tag(finding.plain, finding.colour)


def _title(listed: Listed, width: int) -> Text:
    title = safe(listed.finding.title)
    return Text.assemble((f"✎ {listed.mark} ", "magenta"), title) if listed.mark else title


def _cost(finding: Finding) -> Text:
    """Return how many misclassified images a finding accounts for beyond chance."""
    if finding.is_note:
        return Text("note", style="dim")
    return Text(f"{finding.score:.{0 if finding.score >= 1 else 1}f}")
