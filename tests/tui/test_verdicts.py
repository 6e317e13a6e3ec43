"""The file of verdicts, and verdicts on several images at once."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from textual.widgets import Input

from db import queries, writes
from db.errors import StoreError
from db.rows import NewAudit, NewFinding
from db.verdicts import Verdict, beside, read_verdicts, remove_verdicts, write_verdicts
from tests.tui.looking import Make, Press, Settle
from tui.app import make_app
from tui.widgets.record_table import Rows
from tui.widgets.thumbs import Thumbs

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def test_what_is_written_is_read_for_its_run_only(tmp_path: Path) -> None:
    file = beside(tmp_path / "store.db")
    assert file == tmp_path / "store.db.verdicts.sqlite"
    assert read_verdicts(file, "a") == {}
    assert not file.exists()  # looking makes no file
    one = Verdict("a", "image", "x/\udc80.jpg", "shortcut", "the sofa", WHEN)
    write_verdicts(file, one)
    write_verdicts(file, Verdict("b", "class", "tabby", "fine", "", WHEN))
    (found,) = read_verdicts(file, "a").values()
    assert (found.name, found.mark, found.note, found.made) == (
        "x/\\udc80.jpg", "shortcut", "the sofa", WHEN
    )  # fmt: skip
    assert list(read_verdicts(file, "b")) == [("class", "tabby")]


def test_a_second_verdict_replaces_the_first(tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    write_verdicts(file, Verdict("a", "class", "tabby", "fine", "", WHEN))
    write_verdicts(file, Verdict("a", "class", "tabby", "ambiguous", "n", WHEN))
    assert [v.mark for v in read_verdicts(file, "a").values()] == ["ambiguous"]
    remove_verdicts(file, "a", "class", "tabby")
    remove_verdicts(file, "a", "class", "tabby")
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
            write_verdicts(file, Verdict("a", "class", "tabby", "fine", "", WHEN))
    assert foreign.read_bytes() == before


def test_a_schema_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.verdicts.db"
    write_verdicts(file, Verdict("a", "class", "tabby", "fine", "", WHEN))
    whole = file.read_bytes()
    damaged = whole.replace(b"CREATE TABLE verdict", b"CREATE TABL\xe4 verdict")
    assert damaged != whole
    file.write_bytes(damaged)
    with pytest.raises(StoreError, match="--verdicts"):
        read_verdicts(file, "a")


def test_a_file_of_the_first_version_is_read_and_taken_on(tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    write_verdicts(file, Verdict("a", "class", "tabby", "fine", "", WHEN))
    with sqlite3.connect(file) as connection:
        for column in ("right_label", "title"):
            connection.execute(f"ALTER TABLE verdict DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    (old,) = read_verdicts(file, "a").values()
    assert (old.mark, old.right_label) == ("fine", None)
    write_verdicts(file, Verdict("a", "image", "x.jpg", "label wrong", "", WHEN, "n01"))
    assert [v.right_label for v in read_verdicts(file, "a").values()] == [None, "n01"]


async def test_a_dismissed_finding_stays_dismissed_when_the_audit_is_made_again(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    run_id, ids = fill_run(growing, "mini", ["tabby", "lion"])
    title = "7 of 8 are predicted as lion"

    def audit(title: str) -> None:
        found = NewFinding("confusion", title, 6, {}, plain="confusion", subject="as lion")
        writes.add_audit(growing, NewAudit(ids[0], "tabby: more", [], {}, [], [found]))

    def marks() -> list[str | None]:
        return [each.mark for each in app.screen.query_one("#findings", Rows).records]

    audit(title)
    label = queries.class_record(growing, ids[0]).label
    run_hash = queries.run(growing, run_id).config_hash
    file = beside(tmp_path / "growing.db")
    old = Verdict(run_hash, "finding", f"{label}: {title}", "true", "", WHEN)
    write_verdicts(file, old)
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert marks() == ["true"], "an older file's verdict, by the title"
        await press(pilot, "v", "2")
        assert marks() == ["noise"]
        audit("9 of 12 are predicted as lion")
        writes.begin_stage(growing, run_id, "audit", position=8, total=2, done=1)
        app.poll()
        await settle(pilot)
        assert marks() == ["noise"]
        (stored,) = read_verdicts(file, run_hash).values()
        assert stored.name == f"{label}: confusion: as lion"
        await press(pilot, "v", "5")
        assert marks() == [None] and not read_verdicts(file, run_hash)


async def test_one_verdict_on_several_images_with_the_right_class(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "4", "space", "right", "space", "right")
        thumbs = app.screen.query_one("#images Thumbs", Thumbs)
        paths = [image.path for image in thumbs.picked]
        assert len(paths) == 2
        await press(pilot, "v")
        app.screen.query_one("#right", Input).value = "no such thing"
        await press(pilot, "1")
        assert not app.opened.marks, "a class that is not there is not stored"
        app.screen.query_one("#right", Input).value = "egyptian CAT"
        await press(pilot, "1")
        marks = {name: verdict.mark for (_, name), verdict in app.opened.marks.items()}
        assert marks == dict.fromkeys(paths, "label wrong")
        labels = {verdict.right_label for verdict in app.opened.marks.values()}
        assert labels == {"n01"}
        await press(pilot, "space", "v")
        app.screen.query_one("#right", Input).value = "none of them"
        await press(pilot, "1")
        assert sorted(v.right_label or "" for v in app.opened.marks.values()) == ["", "n01", "n01"]
        # Nothing is picked now: the verdict is on the class again.
        await press(pilot, "v")
        assert not app.screen.query("#right")
