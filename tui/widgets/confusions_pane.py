"""What a class is predicted as, and how the captions of those images differ."""

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from db.records import CaptionContrast, Confusion
from tui.texts import bar, safe, share
from tui.widgets.record_table import Column, Rows


class ConfusionsPane(Horizontal):
    """The wrong classes; beside them the captions of the images that went there."""

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        columns: list[Column[Confusion]] = [
            Column("name", "predicted as", 12, lambda r, w: safe(r.predicted_name), wide=True),
            Column("bar", "", 10, lambda r, w: bar(r.share, w, "red")),
            Column("count", "images", 6, lambda r, w: Text(str(r.count)), right=True),
            Column("share", "share", 6, lambda r, w: Text(share(r.share)), right=True),
        ]
        yield Rows[Confusion](
            columns,
            lambda r: r.predicted_class_id,
            empty="no misclassified images",
            id="confusions",
        )
        with VerticalScroll(id="contrast"):
            yield Static(id="contrasts")

    def show(self, confusions: Sequence[Confusion]) -> None:
        """Show the wrong classes."""
        self.query_one(Rows).fill(confusions)

    def contrast(self, confusion: Confusion, captions: Sequence[CaptionContrast]) -> None:
        """Compare the captions of the images predicted as a class with those of correct ones."""
        head = Text("captions of the images predicted as ", style="dim")
        head.append_text(safe(confusion.predicted_name, "bold", longest=60))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(justify="right", style="red", no_wrap=True)
        grid.add_column(justify="right", style="green", no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_row("errors", "correct", Text("caption", style="dim"))
        for caption in captions:
            grid.add_row(str(caption.wrong), str(caption.right), safe(caption.text, longest=160))
        hint = Text("\nenter shows these images", style="dim")
        self.query_one("#contrasts", Static).update(Group(head, grid, hint))
