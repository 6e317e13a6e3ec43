"""The confusion matrix of a run: the classes that are mixed up, the alike side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from db import queries
from db.records import ClassName
from mapcap.runs.seriation import seriate
from tui.navigation import OpenClass
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.show import safe
from tui.widgets.keys import Keys
from tui.widgets.matrix import Matrix


@dataclass(frozen=True)
class Confusions:
    """Classes in the order of the matrix, and its counts (n, n) of images; `left` are not in it."""

    classes: Sequence[ClassName]
    counts: NDArray[np.float64]
    left: int


class MatrixScreen(BrowseScreen):
    """The matrix, and its marked cell in words."""

    HELP_TEXT = (
        "Rows are classes, columns what their images are predicted as, by the number of the row. A "
        "cell is the share of the row's images in percent. Classes that are mixed up stand side by "
        "side; where not all have room, those with the most errors do. Enter opens the images of "
        "the marked cell."
    )

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._found: Confusions | None = None

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
        self.ask("confusions", lambda: read(opened, most), self._show)

    def on_resize(self) -> None:
        """Show as many classes as fit."""
        if self._found is not None:
            self.call_after_refresh(self.reload)

    def _show(self, found: Confusions) -> None:
        self._found = found
        title = Text.assemble((f"Confusions of run {self.opened.run.id}  ", "bold"))
        left = f", {found.left} others are left out" if found.left else ""
        title.append(f"{len(found.classes)} classes{left}", style="dim")
        self.query_one("#title", Static).update(title)
        predicted = np.array([[max(1, each.predicted)] for each in found.classes], np.float64)
        names = [each.name for each in found.classes]
        shares = found.counts / predicted if names else found.counts
        self.query_one(Matrix).show(names, shares)

    def on_matrix_moved(self, message: Matrix.Moved) -> None:
        """Say what the marked cell is."""
        if self._found is None:
            return
        row, column = (self._found.classes[i] for i in (message.row, message.column))
        count = self._found.counts[message.row, message.column]
        text = safe(row.name, "bold", longest=60)
        if row is column:
            text.append(f": {count:.0f} of {row.predicted} correct")
        else:
            text.append(f": {count:.0f} of {row.predicted} predicted as ")
            text.append_text(safe(column.name, "bold red", longest=60))
        self.query_one("#cell", Static).update(text)

    def on_matrix_chosen(self, message: Matrix.Chosen) -> None:
        """Open the images of the marked cell; those of the diagonal are the class itself."""
        if self._found is not None:
            row, column = (self._found.classes[i] for i in (message.row, message.column))
            wrong_as = column.id if column is not row else None
            self.post_message(OpenClass(self.opened, row, wrong_as=wrong_as))


def read(opened: Opened, most: int) -> Confusions:
    """Read the matrix of the `most` classes that have the most images lost or taken wrongly."""
    engine, run_id = opened.engine, opened.run.id
    classes = queries.classes(engine, run_id)
    place = {each.id: i for i, each in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)))
    for class_id, predicted_id, count in queries.run_confusions(engine, run_id):
        counts[place[class_id], place[predicted_id]] = count
    errors = counts.sum(axis=0) + counts.sum(axis=1)
    mixed = np.flatnonzero(errors)
    kept = mixed[np.argsort(-errors[mixed], kind="stable")][:most]
    order = kept[seriate(counts[np.ix_(kept, kept)])]
    shown = counts[np.ix_(order, order)]
    np.fill_diagonal(shown, [classes[i].correct for i in order])
    return Confusions([classes[i] for i in order], shown, len(mixed) - len(order))
