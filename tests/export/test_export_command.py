"""`mapcap export`: what is wrong is said, and no file is lost."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_what_is_wrong_is_said_before_any_work(
    filled: Any, tmp_path: Path, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.csv"
    missing = tmp_path / "missing.db"
    for options, said in (
        (("--table", "image", "--out", out), "Did you mean images?"),
        (("--table", "images", "--out", out, "--format", "xlsx"), "csv, jsonl, parquet"),
        (("--table", "images", "--out", tmp_path / "x.xlsx"), "--format"),
        (("--table", "images", "--out", "-", "--format", "parquet"), "name a file"),
        (("--table", "images", "--out", "-", "--format", "csv", "--json"), "name a file"),
        (("--table", "images", "--out", tmp_path / "no" / "x.csv"), "there is no folder"),
        (("--table", "images", "--out", tmp_path, "--format", "csv"), "is not a file"),
    ):
        # The file to read is not there, which would be said if it were looked at first.
        result = call("export", missing, *options)
        assert result.code == 2 and said in result.err, result.err
    own_file = call("export", filled.path, "--table", "images", "--out", filled.path, "--force",
                    "--format", "csv")  # fmt: skip
    assert own_file.code == 2 and "the file that is read" in own_file.err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    result = call("export", missing, "--table", "images", "--out", tmp_path / "x.parquet")
    assert result.code == 2 and "pip install 'mapcap[parquet]'" in result.err
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_by_force(
    filled: Any, tmp_path: Path, call: Callable[..., Any]
) -> None:
    out, link = tmp_path / "x.csv", tmp_path / "link.csv"
    out.write_text("mine")
    link.symlink_to(out)
    refused = call("export", filled.path, "--table", "classes", "--out", out)
    assert refused.code == 2 and "--force" in refused.err and out.read_text() == "mine"
    result = call("export", filled.path, "--table", "classes", "--out", link, "--force", "--json")
    page = json.loads(result.out)
    assert (page["rows"], page["bytes"]) == (4, out.stat().st_size)
    assert link.is_symlink() and out.read_text("utf-8").startswith("label,class")
    assert sorted(tmp_path.iterdir()) == [link, out]


def test_a_disk_that_is_full_is_said(
    filled: Any, tmp_path: Path, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mapcap.commands.export.writer", lambda name: full)
    result = call("export", filled.path, "--table", "classes", "--out", tmp_path / "x.csv")
    assert result.code == 2 and "No space left" in result.err
    assert not list(tmp_path.iterdir())
