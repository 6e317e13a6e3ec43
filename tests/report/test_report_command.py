"""`mapcap report`: the file, what is refused, and your verdicts in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db import queries
from db.verdicts import Verdict, write_verdicts
from mapcap.text import clean
from tests.report.parsing import Page


def test_the_command_writes_a_file_and_keeps_what_is_there(
    filled: Any, tmp_path: Path, call: Callable[..., Any]
) -> None:
    out = tmp_path / "report.html"
    result = call("report", filled.path, "--out", out)
    assert result.code == 0, result.err
    assert "4 classes in" in result.out and "MB)" in result.out
    assert out.read_text("utf-8").startswith("<!doctype html>")
    before = out.read_bytes()
    refused = call("report", filled.path, "--out", out, "--class", "tabby")
    assert refused.code == 2 and "--force" in refused.err
    assert out.read_bytes() == before
    result = call("report", filled.path, "--out", out, "--class", "tabby", "--force", "--json")
    assert result.code == 0 and f'"bytes": {out.stat().st_size}' in result.out
    assert out.stat().st_size < len(before)
    assert list(tmp_path.iterdir()) == [out]


def test_your_verdicts_are_in_the_page(own: Any, call: Callable[..., Any], tmp_path: Path) -> None:
    mine, out = tmp_path / "mine.sqlite", tmp_path / "report.html"
    run_hash = queries.latest_run(own.engine).config_hash
    path, made = own.paths[0][1], datetime(2026, 1, 2, tzinfo=UTC)
    for kind, name, mark, note in (
        ("image", path, "label wrong", "a <b>dog</b>\x1b[0m"),
        ("image", "gone.jpg", "fine", ""),
        ("class", "n01", "ambiguous", "two breeds"),
        ("finding", "n01: 3 of 6 are dark", "noise", "the evening light"),
        ("finding", "n9: of no class here", "true", ""),
    ):
        write_verdicts(mine, Verdict(run_hash, kind, name, mark, note, made))  # type: ignore[arg-type]
    assert call("report", own.path, "--out", out, "--verdicts", mine).code == 0
    source = out.read_text("utf-8")
    parsed = " ".join(" ".join(Page(source).text).split())
    assert "1 ambiguous, 1 fine, 1 label wrong, 1 noise, 1 true" in parsed
    assert f"label wrong a <b>dog</b>\ufffd[0m {clean(path)}" in parsed
    assert "ambiguous two breeds the class" in parsed and "gone.jpg" not in parsed
    assert "noise the evening light 3 of 6 are dark" in parsed and "of no class" not in parsed
    assert "<b>" not in source
    lost = call("report", own.path, "--out", out, "--force", "--verdicts", tmp_path / "none")
    assert lost.code == 2 and "--verdicts" in lost.err
    assert call("report", own.path, "--out", out, "--force").code == 0
    assert "Your verdicts" not in out.read_text("utf-8")


def test_a_class_that_is_not_there_is_named_before_anything_is_written(
    filled: Any, tmp_path: Path, call: Callable[..., Any]
) -> None:
    result = call("report", filled.path, "--out", tmp_path / "x.html", "--class", "tabbi")
    assert result.code == 2 and "tabbi" in result.err
    assert not list(tmp_path.iterdir())
