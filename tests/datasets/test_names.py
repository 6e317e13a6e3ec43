"""Names of classes from a table, and tables that are none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapcap.datasets import scan
from mapcap.errors import UserError
from tests.datasets.laid import make


def test_names_from_a_file(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "n1/1.jpg", "n2/2.jpg")
    names = tmp_path / "names.tsv"
    names.write_text("wnid\tname\tmore\nn2\tlion, king of beasts\tx\nn1\t\x1bcat\nn9\tunused\n")
    assert [c.name for c in scan(root, names=names).classes] == [
        "\ufffdcat",
        "lion, king of beasts",
    ]
    comma = tmp_path / "names.csv"
    comma.write_text('\ufeffn1,"cat, domestic"\r\nn2,lion\r\n', encoding="utf-8")
    assert [c.name for c in scan(root, names=comma).classes] == ["cat, domestic", "lion"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n1\tcat\n", "no name for n2"),
        ("n1\tcat\nn2\tcat\n", "calls both n1 and n2 'cat'"),
        ("n1\tcat\nn2\n", r"names\.tsv, line 2"),
        ("n1\tcat\n\nn1\tdog\nn2\tlion\n", r"line 3: n1 is named again"),
        ("", "no name for n1, n2"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, text: str, message: str) -> None:
    root = make(tmp_path / "data", "n1/1.jpg", "n2/2.jpg")
    (tmp_path / "names.tsv").write_text(text)
    with pytest.raises(UserError, match=message):
        scan(root, names=tmp_path / "names.tsv")


def test_at_most_five_missing_names_are_listed(tmp_path: Path) -> None:
    root = make(tmp_path / "data", *(f"c{i}/1.jpg" for i in range(8)))
    (tmp_path / "names.tsv").write_text("other\tthing\n")
    with pytest.raises(UserError, match=r"c0, c1, c2, c3, c4 and 3 more\."):
        scan(root, names=tmp_path / "names.tsv")


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "a/1.jpg")
    with pytest.raises(UserError, match=r"--names: .*missing\.tsv cannot be read"):
        scan(root, names=tmp_path / "missing.tsv")
    (tmp_path / "none.tsv").write_bytes(b"b\tx\na\t\xe9\x81\n")
    with pytest.raises(UserError, match=r"none\.tsv.* UTF-8"):
        scan(root, names=tmp_path / "none.tsv")
    (tmp_path / "huge.csv").write_text('"' + "x" * 200_000)
    with pytest.raises(UserError, match="line 1: a quote is opened there and never closed"):
        scan(root, names=tmp_path / "huge.csv")


@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.text("\t,;\"\n\r1.5abx/", max_size=120)
                         .map(str.encode)))  # fmt: skip
def test_any_table_gives_a_result_or_a_user_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    root = make(folder / "data", "a/1.jpg")
    table = folder / "table.tsv"
    table.write_bytes(content)
    choices: tuple[dict[str, Any], ...] = ({"names": table}, {"boxes": table})
    for options in choices:
        try:
            assert len(scan(root, **options).items) == 1
        except UserError as error:
            assert "\x1b" not in str(error)
    (folder / "manifest.csv").write_bytes(content)
    with pytest.raises(UserError):
        scan(folder / "manifest.csv")
