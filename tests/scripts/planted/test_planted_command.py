"""`python -m scripts.planted` and `scripts.score_planted` as they are called."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from db import writes
from db.engine import finish, open_write
from db.rows import (
    NewAudit,
    NewFinding,
)
from mapcap.errors import UserError
from scripts import score_planted
from scripts.planted.__main__ import main
from scripts.planted.folder import write_planted
from scripts.planted.truth import TRUTH, read_truth
from tests.stores import Photo, write_run

GRID = (8, 8)


def call(*arguments: object) -> int:
    return main([*map(str, arguments)])


def test_it_renders_and_says_what_is_planted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "planted"
    assert call(out, "--seed", 5, "--per-class", 10, "--json") == 0
    page = json.loads(capsys.readouterr().out)
    truth = read_truth(out / TRUTH)
    assert page["images"] == len(list(out.glob("*/*.webp"))) == 100
    assert page["seed"] == truth.seed == 5
    faults = {name: one.fault for name, one in truth.classes.items() if one.fault}
    assert page["faults"] == faults
    assert (out / "LICENSE.GPL-2").is_file()
    assert "GNU General Public License" in (out / "NOTICE.md").read_text(encoding="utf-8")


def test_the_default_is_the_seed_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path / "planted", "--per-class", 10) == 0
    printed = capsys.readouterr().out
    assert "100 images" in printed
    assert "(background)" in printed
    assert read_truth(tmp_path / "planted" / TRUTH).seed == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--per-class", 9), "--per-class 9"),
        (("--per-class", 1000), "--per-class 1000"),
        (("--seed", -1), "--seed -1"),
    ],
)
def test_options_that_cannot_be_used_are_named(
    tmp_path: Path,
    options: tuple[object, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(tmp_path / "out", *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    assert call(tmp_path) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=re.escape(str(out))):
            write_planted(out, 0, 10)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file whose audit found all but the mark; all relevance lies in the upper left patch."""
    tmp_path = tmp_path_factory.mktemp("audited")
    folder = tmp_path / "planted"
    truth = write_planted(folder, 1, 10)
    engine = open_write(tmp_path / "planted.db")
    places = {name: place for place, name in enumerate(sorted(truth.classes))}
    grid = np.zeros(GRID, np.float16)
    grid[0, 0] = 1
    run = write_run(
        engine,
        {
            name: [
                Photo(
                    path=path,
                    predicted=places[one.true_class],
                    true_probability=0.05 if one.wrong_label else 0.9,
                    margin=-1.0 if one.wrong_label else 1.0,
                    size=(160, 160),
                )
                for path, one in truth.images.items()
                if one.label == name
            ]
            for name in places
        },
        labels=list(places),
        grids={"true": grid},
        width=len(places),
    )
    wrong = [run.images[path] for path, one in truth.images.items() if one.wrong_label]
    found = {
        "background": NewFinding("background", "dark", 0.8, {"word": "dark"}),
        "watermark": NewFinding("watermark", "a mark", 0.8, {"box": [0.4, 0.4, 0.6, 0.6]}),
        "label": NewFinding("label", "wrong", 0.1, {}, wrong),
        "confusion": NewFinding("confusion", "the pair", 0.1, {"predicted": "lemon"}),
    }
    for name, one in truth.classes.items():
        findings = [found[one.fault]] if one.fault else []
        writes.add_audit(engine, NewAudit(run.ids[places[name]], name, [], {}, (), findings))
    finish(engine)
    return tmp_path / "planted.db", folder / TRUTH


def test_a_file_is_scored(audited: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert score_planted.main([*map(str, audited), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    truth = read_truth(audited[1])
    assert result["kinds_found"] == ["background", "label", "confusion"]
    wrong = sum(one.wrong_label for one in truth.images.values())
    assert result["labels"] == {
        "named": wrong,
        "right": wrong,
        "wrong_labels": wrong,
        "noted": 0,
        "noted_right": 0,
        "precision": 1.0,
        "recall": 1.0,
    }
    assert result["accuracy"] == pytest.approx(1 - wrong / len(truth.images))
    alarms = {title for _, title in result["false_alarms"]}
    assert alarms == {"a mark", "the pair"}, "one elsewhere, and one of a class with itself"
    assert result["alarms_in_controls"] == 0
    assert len(result["controls"]) == 5
    # All relevance lies in the upper left 20 x 20 pixels.
    marked = [path for path, one in truth.images.items() if one.mark]
    on_mark = [truth.mark_mask(path)[:20, :20].mean() for path in marked]
    assert result["relevance_on_mark"]["images"] == len(marked) == 8
    assert result["relevance_on_mark"]["relevance"] == pytest.approx(np.mean(on_mark))
    assert result["relevance_on_mark"]["area"] == pytest.approx(
        np.mean([truth.mark_mask(path).mean() for path in marked])
    )
    on_object = [truth.object_mask(path)[:20, :20].mean() for path in truth.images]
    assert result["relevance_on_object"]["relevance"] == pytest.approx(np.mean(on_object))


def test_the_table_names_what_was_missed(
    audited: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert score_planted.main([*map(str, audited)]) == 0
    printed = capsys.readouterr().out
    assert "3 of 4 planted kinds of fault found" in printed
    assert "seed 1: missed watermark of" in printed


def test_a_truth_of_other_images_is_an_error(
    audited: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = audited[1].read_text(encoding="utf-8").replace("teapot/001.webp", "teapot/x.webp")
    (tmp_path / TRUTH).write_text(text, encoding="utf-8")
    assert score_planted.main([str(audited[0]), str(tmp_path / TRUTH)]) == 2
    assert "its images are not those of" in capsys.readouterr().err


def test_a_missing_file_is_an_error_without_a_traceback(
    audited: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score_planted.main([str(tmp_path / "none.db"), str(audited[1])]) == 2
    assert "none.db" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a.db"], ["a.db", "t.json", "--seeds", "0"]])
def test_a_file_and_seeds_exclude_each_other(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        score_planted.main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize(("text", "seeds"), [("0-4", [0, 1, 2, 3, 4]), ("3", [3]), ("7-7", [7])])
def test_seeds_are_one_or_a_range(text: str, seeds: list[int]) -> None:
    assert score_planted.seed_range(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "4-0", "-1", "1-", "0,1", "1-2-3"])
def test_other_seeds_are_an_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        score_planted.main([f"--seeds={text}"])
    assert "such as 3 or 0-4" in capsys.readouterr().err


def test_a_folder_of_another_test_bed_is_not_scored_as_this_one(
    tmp_path: Path, audited: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seed-1").symlink_to(audited[1].parent)
    options = ["--seeds", "1", "--out", str(tmp_path), "--per-class", "12"]
    assert score_planted.main(options) == 2
    assert "another test bed" in capsys.readouterr().err


def test_an_index_that_fails_ends_the_seeds_with_its_status(
    tmp_path: Path, audited: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seed-1").symlink_to(audited[1].parent)
    (tmp_path / "seed-1.db").write_text("no database, but text" * 100, encoding="utf-8")
    options = ["--seeds", "1", "--out", str(tmp_path), "--per-class", "10"]
    assert score_planted.main(options) == 2
    captured = capfd.readouterr()
    assert "seed-1.db" in captured.err
    assert captured.out == ""
