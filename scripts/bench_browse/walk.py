"""The walk through the app that is measured: keys, and what must be on the screen after them."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Engine

from db import queries
from db.ordering import ClassSort
from mapcap.summaries.selection import choose
from scripts.bench_browse.terminal import Screen, Terminal

Shown = Callable[[Screen], bool]
Figures = dict[str, list[float]]

ENTER, ESCAPE, DOWN, RIGHT, BACKSPACE, SEARCH = "\r", "\x1b", "\x1b[B", "\x1b[C", "\x7f", "\x06"
# In the order of the keys < and >, as the first screen has its columns.
_SORTS: Final[tuple[ClassSort, ...]] = (
    "accuracy",
    "top_wrong_share",
    "mean_true_probability",
    "first_sentence",
    "name",
    "images",
)
_WIDTH: Final = 12
_BACKGROUND: Final = re.compile(r"48;2;\d+;\d+;\d+")
_SEARCHED: Final = re.compile(r"([\d,]+) regions searched")


def top(screen: Screen) -> int:
    """Return the first line of the table's records, 0 before there is a table."""
    heads = (y for y in range(screen.rows) if "predicted as" in screen.line(y, 0, 74))
    return next(heads, -1) + 1


def table(names: Sequence[str]) -> Shown:
    """Return whether the table begins with these classes."""
    wanted = [name[:_WIDTH].ljust(_WIDTH) for name in names[:10]]

    def shown(screen: Screen) -> bool:
        first = top(screen)
        lines = [screen.line(first + i, 1, 1 + _WIDTH) for i in range(max(1, len(wanted)))]
        return first > 0 and lines == (wanted or [" " * _WIDTH])

    return shown


def holds(*texts: str) -> Shown:
    """Return whether all texts are on the screen."""
    return lambda screen: all(text in screen.text for text in texts)


class Walk:
    """One run of the app; `figures` collects seconds by what was done."""

    def __init__(self, terminal: Terminal, engine: Engine) -> None:
        self.figures: Figures = defaultdict(list)
        self.searched = 0
        self._terminal = terminal
        self._engine = engine
        self._run = queries.latest_run(engine).id

    def _names(
        self,
        sort: ClassSort = "accuracy",
        descending: bool = False,
        words: str = "",
        below: float | None = None,
    ) -> list[str]:
        found = queries.classes(
            self._engine, self._run, sort=sort, descending=descending, words=words, below=below
        )
        return [record.name for record in found]

    def _do(self, what: str, keys: str, shown: Shown, limit: float = 120.0) -> None:
        """Press keys and note how long it took until the screen was so; then wait for quiet."""
        if not shown(self._terminal.screen):
            began = self._terminal.press(keys)
            self.figures[what].append(self._terminal.wait(shown, began, limit))
        else:
            # What was there before cannot be seen to come: not measured.
            self._terminal.press(keys)
        self._terminal.settle(0)

    def _settle(self, what: str, keys: str, shown: Shown | None = None) -> None:
        """Press keys and note how long it took until nothing more was painted."""
        began = self._terminal.press(keys)
        terminal = self._terminal
        first = terminal.painted(began) if shown is None else terminal.wait(shown, began)
        if first is not None:  # a key that changes nothing takes no time
            self.figures[what].append(max(first, terminal.settle(began)))

    def start(self) -> float:
        """Wait for the classes; returns the seconds since the process was started."""
        seconds = self._terminal.wait(table(self._names()), self._terminal.began)
        self._terminal.settle(0, pause=1.0)
        return seconds

    def all(self) -> None:
        """Walk through every screen."""
        self.classes_cursor()
        self.classes_sort()
        self.classes_filter()
        self.one_class()
        self.images()
        self.search()

    def classes_cursor(self) -> None:
        """Move down through the classes."""
        screen = self._terminal.screen
        first = top(screen)
        names = self._names()
        for place in range(1, min(25, len(names))):
            ink = _background(screen, first + place - 1)
            began = self._terminal.press(DOWN)
            row = self._terminal.wait(partial(_marked, y=first + place, ink=ink), began)
            card = self._terminal.wait(partial(_card, name=names[place]), began)
            self.figures["classes: cursor"].append(row)
            self.figures["classes: cursor, card beside it"].append(max(row, card))
            self._terminal.settle(0)

    def classes_sort(self) -> None:
        """Sort by each column, both ways, and come back to the first order."""
        for sort in (*_SORTS[1:], _SORTS[0]):
            self._do("classes: sort", ">", table(self._names(sort)))
            self._do("classes: sort", "r", table(self._names(sort, True)))

    def classes_filter(self) -> None:
        """Type words, then a limit; the table stands with the best first."""
        self._terminal.press("/")
        self._terminal.settle(0)
        for word in ("grey", "lantern", "fox", "zz"):
            for n in range(1, len(word) + 1):
                self._do("classes: filter", word[n - 1], table(self._names(words=word[:n],
                         descending=True)))  # fmt: skip
            for _ in word:
                self._terminal.press(BACKSPACE)
                self._terminal.settle(0)
        self._terminal.press(ESCAPE)
        self._terminal.settle(0)
        self._do("classes: below x %", "b", table(self._names(descending=True, below=0.5)))
        for keys, below in (("3", 0.03), ("0", 0.3), (BACKSPACE, 0.03), (BACKSPACE, None)):
            names = self._names(descending=True, below=below)
            self._do("classes: below x %", keys, table(names))
        self._terminal.press(ESCAPE)
        self._terminal.settle(0)
        self._terminal.press("r")
        self._terminal.settle(0)

    def one_class(self) -> None:
        """Open classes and their tabs."""
        records = queries.classes(self._engine, self._run, sort="accuracy")
        for place in range(3):
            record = records[place]
            pmi = queries.pmi(self._engine, record.id)
            assert pmi is not None
            sentence = pmi.texts[choose(pmi, 5, 1.0)[0].index]
            caption = queries.captions(self._engine, record.id, limit=1)[0]
            self._do("class: open", ENTER, holds(record.name, "1 Findings"))
            self._do("class: summary", "2", holds(sentence[:24], "chosen from"))
            self._do("class: captions", "3", holds(caption.text[:24], "errors"))
            self._do("class: confusions", "5", holds(str(record.top_wrong_name), "share"))
            self._settle("class: images", "4", holds("margin first"))
            back = self._terminal.press(ESCAPE)
            self._terminal.wait(table([each.name for each in records]), back)
            self._terminal.press(DOWN)
            self._terminal.settle(0)

    def images(self) -> None:
        """Turn pages of images, move in them, open one, and find regions like one of its own."""
        self._terminal.press(ENTER)
        self._terminal.settle(0)
        self._terminal.press("4")
        self._terminal.settle(0)
        for _ in range(10):
            self._settle("images: cursor", RIGHT)
        for _ in range(12):
            self._settle("images: next page", "n")
        self._settle("image: open", ENTER, holds("best classes"))
        for _ in range(8):
            self._settle("image: next", "n")
        self._do("image: regions like this one", ENTER, holds("regions searched"))
        found = _SEARCHED.search(self._terminal.screen.text)
        self.searched = int(found[1].replace(",", "")) if found else 0
        for _ in range(3):
            self._terminal.press(ESCAPE)
            self._terminal.settle(0)

    def search(self) -> None:
        """Search class names, captions and paths."""
        self._terminal.press(SEARCH)
        self._terminal.settle(0)
        middle = queries.classes(self._engine, self._run)[-1]
        path = queries.images(self._engine, middle.id, limit=1)[0].path
        words = queries.captions(self._engine, middle.id, limit=1)[0].text
        hits = queries.search_captions(self._engine, self._run, words, limit=1)
        for what, typed, shown in (
            ("search: class names", middle.name, holds(" correct")),
            ("search: captions", words, holds(hits[0].text[:24])),
        ):
            self._do(what, typed, shown)
            back = self._terminal.press(BACKSPACE * len(typed))
            self._terminal.wait(holds("captions, class names, image paths"), back)
            self._terminal.settle(0)
        self._do("search: a path that is there", path[-20:-5], holds(path[-20:]))
        # Every path is looked at.
        self._do("search: nothing there", "zz", holds("nothing found"))


def _background(screen: Screen, y: int) -> str:
    found = _BACKGROUND.search(screen.inks[y][1])
    return found[0] if found else ""


def _marked(screen: Screen, y: int, ink: str) -> bool:
    return _background(screen, y) == ink


def _card(screen: Screen, name: str) -> bool:
    return any(name in screen.line(y, 74) for y in range(4))
