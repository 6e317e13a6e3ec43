"""The confusion matrix of a run: the classes that are mixed up, the alike side by side."""

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from mapcap.runs.confusion_matrix import ConfusionMatrix, read_matrix
from tui.navigation import OpenClass
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.texts import safe
from tui.widgets.keys import Keys
from tui.widgets.matrix import Matrix


class MatrixScreen(BrowseScreen):
    """The matrix, and its marked cell in words."""

    HELP_TEXT = (
        "Rows are classes, columns what their images are predicted as, by the number of the row. A "
        "cell is the share of the row's images in per cent. Classes that are confused stand side "
        "by side; where not all have room, those with the most errors do. Enter opens the images "
        "of the marked cell."
    )

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._matrix: ConfusionMatrix | None = None

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(Text(f"Confusions of run {self.opened.run.id}", style="bold"), id="title")
        yield Matrix(id="matrix")
        yield Static(id="cell")
        yield Keys()

    def on_mount(self) -> None:
        """Ask for the confusions when it is known how many classes fit."""
        self.query_one(Matrix).focus()
        self.call_after_refresh(self.reload)

    def reload(self) -> None:
        """Ask for the confusions again."""
        opened, most = self.opened, self.query_one(Matrix).fits
        self.ask("confusions", lambda: read_matrix(opened.engine, opened.run.id, most), self._show)

    def on_resize(self) -> None:
        """Show as many classes as fit."""
        if self._matrix is not None:
            self.call_after_refresh(self.reload)

    def _show(self, matrix: ConfusionMatrix) -> None:
        self._matrix = matrix
        title = Text.assemble((f"Confusions of run {self.opened.run.id}  ", "bold"))
        left = f", {matrix.left} others are left out" if matrix.left else ""
        title.append(f"{len(matrix.classes)} classes{left}", style="dim")
        self.query_one("#title", Static).update(title)
        self.query_one(Matrix).show([each.name for each in matrix.classes], matrix.shares)

    def on_matrix_moved(self, message: Matrix.Moved) -> None:
        """Say what the marked cell is."""
        if self._matrix is None:
            return
        row, column = (self._matrix.classes[i] for i in (message.row, message.column))
        count = self._matrix.counts[message.row, message.column]
        text = safe(row.name, "bold", longest=60)
        if row is column:
            text.append(f": {count:.0f} of {row.predicted} correct")
        else:
            text.append(f": {count:.0f} of {row.predicted} predicted as ")
            text.append_text(safe(column.name, "bold red", longest=60))
        self.query_one("#cell", Static).update(text)

    def on_matrix_chosen(self, message: Matrix.Chosen) -> None:
        """Open the images of the marked cell; those of the diagonal are the class itself."""
        if self._matrix is not None:
            row, column = (self._matrix.classes[i] for i in (message.row, message.column))
            wrong_as = column.id if column is not row else None
            self.post_message(OpenClass(self.opened, row, wrong_as=wrong_as))
