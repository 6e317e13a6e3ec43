"""The file of verdicts."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.errors import StoreError
from db.verdicts import Verdict, beside, read_verdicts, remove_verdict, write_verdict

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def test_what_is_written_is_read_for_its_run_only(tmp_path: Path) -> None:
    file = beside(tmp_path / "store.db")
    assert file == tmp_path / "store.db.verdicts.sqlite"
    assert read_verdicts(file, "a") == {}
    assert not file.exists()  # looking makes no file
    one = Verdict("a", "image", "x/\udc80.jpg", "shortcut", "the sofa", WHEN)
    write_verdict(file, one)
    write_verdict(file, Verdict("b", "class", "tabby", "fine", "", WHEN))
    (found,) = read_verdicts(file, "a").values()
    assert (found.name, found.mark, found.note, found.made) == (
        "x/\\udc80.jpg", "shortcut", "the sofa", WHEN
    )  # fmt: skip
    assert list(read_verdicts(file, "b")) == [("class", "tabby")]


def test_a_second_verdict_replaces_the_first(tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    write_verdict(file, Verdict("a", "class", "tabby", "fine", "", WHEN))
    write_verdict(file, Verdict("a", "class", "tabby", "ambiguous", "n", WHEN))
    assert [v.mark for v in read_verdicts(file, "a").values()] == ["ambiguous"]
    remove_verdict(file, "a", "class", "tabby")
    remove_verdict(file, "a", "class", "tabby")
    assert read_verdicts(file, "a") == {}


def test_a_foreign_or_broken_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"not a database at all" * 100)
    folder = tmp_path / "missing" / "v.sqlite"
    before = foreign.read_bytes()
    for file in (foreign, broken):
        with pytest.raises(StoreError, match="--verdicts"):
            read_verdicts(file, "a")
    for file in (foreign, broken, folder):
        with pytest.raises(StoreError, match="--verdicts"):
            write_verdict(file, Verdict("a", "class", "tabby", "fine", "", WHEN))
    assert foreign.read_bytes() == before
