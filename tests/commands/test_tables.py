"""Tables in narrow terminals, in pipes, and the lists beside them."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from db.records import ClassName
from mapcap.commands.base import console, errors
from mapcap.printing.narrow import NarrowTable
from mapcap.printing.pages import class_table, listed, show

TABBY = ClassName(
    1, 0, "tabby", "n02123045", 100, 100, 100, 11, 0.11, 0.063, 0.186, 0.12, 2, "Egyptian cat",
    65, 70, "a house cat with brown fur",
)  # fmt: skip


def test_a_name_with_colons_is_no_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    for opened in (console(), errors()):
        opened.print("clip:x: and :cat:", markup=False)
        opened.print(listed("left out", ["a:x:b"]))
    shown = capsys.readouterr()
    assert shown.out == shown.err and ":x: and :cat:" in shown.out and "a:x:b" in shown.out


def drawn(page: object, width: int, *, terminal: bool = True) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None)
    show(console, page)  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 70, 80, 100, 120, 200])
def test_the_accuracy_is_shown_whole_at_any_width(width: int) -> None:
    page = drawn(class_table([TABBY, replace(TABBY, accuracy=1.0, name="monarch")]), width)
    assert "tabby" in page and "11 %" in page and "100 %" in page
    assert all(len(line) <= width for line in page.splitlines())


def test_a_narrow_terminal_goes_without_the_least_columns_first() -> None:
    titles = ("p(true)", "95 %", "summary begins", "correct", "top confusion")
    shown = [
        [title in drawn(class_table([TABBY]), width) for title in titles]
        for width in range(120, 25, -1)
    ]
    assert shown[0] == [True] * 5 and shown[-1] == [False] * 5
    for row in shown:
        assert row == sorted(row), "a column is gone while a lesser one stays"


def test_columns_keep_their_cells_when_one_between_them_goes() -> None:
    table = NarrowTable(least=("b",))
    for name in "abc":
        table.add_column(name, no_wrap=True)
    table.add_row("first", Text("second" * 10), "third")
    assert drawn(table, 20).split() == ["a", "c", "first", "third"]
    assert "second" in drawn(table, 100)


def test_a_pipe_gets_no_blanks_at_the_ends_of_lines() -> None:
    page = drawn(class_table([TABBY, replace(TABBY, first_sentence=None)]), 1000, terminal=False)
    assert page.endswith("\n")
    assert [line for line in page.splitlines() if line != line.rstrip()] == []
    assert TABBY.first_sentence is not None and TABBY.first_sentence in page


def test_a_list_names_ten_and_counts_the_rest_harmlessly() -> None:
    assert listed("lost", ["a\x1b[31m", "b"]) == "2 lost: a\ufffd[31m, b"
    many = listed("lost", [f"{number}.jpg" for number in range(12)])
    assert many.startswith("12 lost: 0.jpg, 1.jpg") and many.endswith("9.jpg and 2 more")
