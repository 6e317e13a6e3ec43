"""Verdicts beside what they are about, and in a table of their own."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from db.verdicts import Verdict, beside, write_verdicts
from tests.export.stored import verdicts


def test_verdicts_stand_beside_what_they_are_about(
    own: Any, call: Callable[..., Any], tmp_path: Path
) -> None:
    file = verdicts(own)
    result = call("export", own.path, "--table", "images", "--format", "jsonl", "--out", "-")
    found = [json.loads(line) for line in result.out.splitlines()]
    marked = {row["path"]: (row["verdict"], row["note"]) for row in found if row["verdict"]}
    assert marked == {own.paths[0][1]: ("label wrong", "=a dog really�[0m")}
    of_classes = call("export", own.path, "--table", "classes", "--format", "csv", "--out", "-")
    assert of_classes.out.count("ambiguous") == 1
    elsewhere = tmp_path / "mine.sqlite"
    file.rename(elsewhere)
    out = tmp_path / "v.parquet"
    call("export", own.path, "--table", "verdicts", "--out", out, "--verdicts", elsewhere)
    listed = parquet.read_table(out).to_pylist()
    assert [(row["about"], row["name"]) for row in listed] == [
        ("class", "n01"), ("image", own.paths[0][1]),
    ]  # fmt: skip
    assert listed[0]["made"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    none = call("export", own.path, "--table", "verdicts", "--out", "-")
    assert none.out == "about,name,verdict,note,made,right_label,title\n"
    lost = call("export", own.path, "--table", "images", "--out", "-", "--format", "csv",
                "--verdicts", file)  # fmt: skip
    assert lost.code == 2 and "--verdicts" in lost.err


def test_verdicts_are_listed_with_the_right_class(
    own: Any, call: Callable[..., Any], tmp_path: Path
) -> None:
    assert "press v" in call("verdicts", own.path).out
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    path = own.paths[0][1]
    write_verdicts(
        beside(own.path),
        Verdict("one", "image", path, "label wrong", "\x1b[2J", made, "n01"),
        Verdict("one", "image", own.paths[0][0], "label wrong", "", made, ""),
        Verdict("one", "finding", "n01: 2 of 3 are predicted as dog", "noise", "", made),
    )
    listed = json.loads(call("verdicts", own.path, "--json").out)
    assert [(row["kind"], row["mark"], row["right_label"]) for row in listed] == [
        ("finding", "noise", None), ("image", "label wrong", ""), ("image", "label wrong", "n01"),
    ]  # fmt: skip
    printed = call("verdicts", own.path).out
    assert path in printed and "none of them" in printed and "\x1b" not in printed
    assert call("verdicts", own.path, "--verdicts", tmp_path / "no.sqlite").code == 2
