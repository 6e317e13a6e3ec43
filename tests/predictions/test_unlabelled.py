"""Photos without labels: their classes are the predicted ones, and nobody speaks of errors."""

import csv
import json
import re
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console
from textual.widgets import Static, TabbedContent

import mapcap
from db import queries
from db.engine import open_read
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset
from mapcap.datasets.sample import sample_path
from mapcap.errors import UserError
from mapcap.indexing.start import index_photos
from mapcap.predictions import read_predictions, scan_photos
from tests.calling import Result
from tests.predictions.test_shown import shown
from tests.tui.conftest import rest
from tui.app import make_app
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen

INK, PER_CLASS = (225, 25, 195), 12
MARKED = "cat"
SAID = "no labels: classes are the predicted ones"
OF_ERRORS = re.compile(r"accuracy|correct|misclassif|error|confusion|calibrat", re.I)
Read = Callable[..., tuple[Dataset, str]]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Four empty photos in one folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.jpg").write_bytes(b"")
    return folder


@pytest.fixture
def read(flat: Path) -> Read:
    def run(file: Path, photos: Path = flat, **options: Any) -> tuple[Dataset, str]:
        config = IndexConfig(photos=str(photos), predictions=str(file), **options)
        dataset, labels = scan_photos(config)
        assert labels == "none"
        config = IndexConfig(
            photos=str(photos), predictions=str(file), **options | {"unlabelled": True}
        )
        dataset, lines = read_predictions(config, dataset)
        return dataset, "\n".join(line for line, _ in lines)

    return run


TOP = [["a.jpg", "cat", 0.8, "dog", 0.2], ["b.jpg", "dog", 0.9, "cow", 0.1],
       ["c.jpg", "cat", 0.7, "dog", 0.3]]  # fmt: skip


def test_a_photo_is_of_the_class_that_it_is_predicted_as(read: Read, tmp_path: Path) -> None:
    table = write(tmp_path / "given.csv", ["path", "top1", "prob1", "top2", "prob2"], TOP)
    dataset, said = read(table)
    assert [each.label for each in dataset.classes] == ["cat", "dog", "cow"]
    found = {item.relative: dataset.classes[item.class_index].label for item in dataset.items}
    assert found == {"a.jpg": "cat", "b.jpg": "dog", "c.jpg": "cat"}
    for item in dataset.items:
        assert item.prediction is not None and item.prediction.top[0][0] == item.class_index
        known = item.prediction.true_probability, item.prediction.true_rank, item.prediction.margin
        assert known == (None, None, None), "nobody knows the true class"
    assert SAID in said and "accuracy 1" not in said
    assert "1 photo without a row left out" in said
    assert "1 predicted class without photos: cow" in said


def test_numbers_need_the_classifiers_classes(read: Read, tmp_path: Path) -> None:
    table = write(tmp_path / "given.csv", ["path", "prediction"], [["a.jpg", 1], ["b.jpg", 0]])
    with pytest.raises(UserError, match=r"numbers its classes.*--class-order FILE"):
        read(table)
    order = tmp_path / "order.txt"
    order.write_text("cat\n")
    with pytest.raises(UserError, match=r"line 2 predicts class 1, and --class-order names 1"):
        read(table, class_order=str(order))
    order.write_text("cat\ndog\nbird\n")
    dataset, _ = read(table, class_order=str(order))
    found = {item.relative: dataset.classes[item.class_index].label for item in dataset.items}
    assert found == {"a.jpg": "dog", "b.jpg": "cat"}


def test_classes_may_be_called_by_digits(read: Read, tmp_path: Path) -> None:
    order = tmp_path / "order.txt"
    order.write_text("0\n1\n")
    table = write(tmp_path / "given.csv", ["path", "prediction"], [["a.jpg", 1], ["b.jpg", 0]])
    dataset, _ = read(table, class_order=str(order))
    assert [each.label for each in dataset.classes] == ["0", "1"]


def test_a_table_of_timm_among_the_photos_labels_nothing(read: Read, flat: Path) -> None:
    """Its column label is the prediction: a manifest of the photos it is not."""
    rows = [["a.jpg", "cat", 0.8], ["b.jpg", "dog", 0.9]]
    dataset, said = read(write(flat / "timm.csv", ["filename", "label", "prob"], rows))
    assert [each.label for each in dataset.classes] == ["cat", "dog"] and SAID in said


def test_folders_are_no_classes_where_it_is_said(read: Read, flat: Path, tmp_path: Path) -> None:
    for name in ("monday", "tuesday"):
        (flat.parent / "by day" / name).mkdir(parents=True)
    for name, day in (("a", "monday"), ("b", "tuesday")):
        (flat / f"{name}.jpg").rename(flat.parent / "by day" / day / f"{name}.jpg")
    table = write(tmp_path / "given.csv", ["path", "prediction"], [["a.jpg", "cat"]])
    config = IndexConfig(photos=str(flat.parent / "by day"), predictions=str(table))
    dataset, labels = scan_photos(config)
    assert labels == "folders"
    with pytest.raises(UserError, match="say --unlabelled if no folder is a class"):
        read_predictions(config, dataset)
    dataset, said = read(table, flat.parent / "by day", unlabelled=True)
    assert [item.relative for item in dataset.items] == ["monday/a.jpg"] and SAID in said


def test_options_that_contradict_it_are_refused(flat: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--unlabelled.*--predictions FILE: give that, too"):
        IndexConfig(photos="x", unlabelled=True)
    with pytest.raises(UserError, match=r"--unlabelled.*leave one out"):
        IndexConfig(photos="x", predictions="y", unlabelled=True, class_level="top")
    rows = [["a.jpg", "cat", "dog"]]
    table = write(tmp_path / "given.csv", ["path", "prediction", "label"], rows)
    config = IndexConfig(photos=str(flat), predictions=str(table), unlabelled=True)
    with pytest.raises(UserError, match="--unlabelled: the classes are column label"):
        scan_photos(config)
    with pytest.raises(UserError, match="has no class folders"):
        scan_photos(IndexConfig(photos=str(flat)))


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos predicted as three classes; those of one are marked, and one is there twice."""
    folder = tmp_path_factory.mktemp("unlabelled")
    (folder / "photos").mkdir()
    rows = []
    for name in ("vegetable", MARKED, "flower"):
        for place, picture in enumerate(sorted((sample_path() / name).glob("*.webp"))[:PER_CLASS]):
            photo = Image.open(picture).convert("RGB").resize((112, 112))
            if name == MARKED:
                photo.paste(INK, (6, 6, 30, 30))
            for copy in ("", "again-") if place == 3 else ("",):
                photo.save(folder / "photos" / f"{copy}{picture.stem}.png")
                rows.append([f"{copy}{picture.stem}.png", name, 0.8, "tool", 0.1])
    table = write(folder / "given.csv", ["path", "top1", "prob1", "top2", "prob2"], rows)
    file = folder / "photos.db"
    config = IndexConfig(
        photos=str(folder / "photos"), predictions=str(table), regions=1, max_sentences=2
    )
    console = Console(file=StringIO(), width=200)
    assert index_photos(config, file, device="cpu", dtype="auto", batch_size=16, console=console)
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()
    left = said.replace(f"{SAID}; accuracy, errors, confusions, calibration and ", "")
    assert left != said and not OF_ERRORS.search(left), said
    assert "39 images of 3 classes: cat 13, flower 13, vegetable 13" in said
    return file


def test_no_command_speaks_of_errors(indexed: Path, call: Callable[..., Result]) -> None:
    photo = sorted((indexed.parent / "photos").iterdir())[0].name
    for arguments in (
        ("status", indexed),
        ("classes", indexed),
        ("audit", indexed),
        ("audit", indexed, MARKED),
        ("show", indexed, MARKED),
        ("image", indexed, photo),
        ("evaluate", indexed),
    ):
        found = call(*arguments)
        assert found.code == 0, found.err
        # What a metric means may speak of predictions in general.
        page = re.sub(r"^\S+ +(-|\d\.\d+) .*", "", found.out, flags=re.M)
        assert SAID in " ".join(page.split()), page
        assert not OF_ERRORS.search(page), page
    assert "1 class without images left out" in call("classes", indexed).out
    assert "3 classes and 1 without images" in call("status", indexed).out
    answer = call("show", indexed, MARKED, "--json").json()["class"]
    assert (answer["correct"], answer["accuracy"], answer["predicted"]) == (None, None, 13)
    assert call("classes", indexed, "--below", 50).code == 2
    assert SAID in call("classes", indexed, "--below", 50).err


def test_findings_that_need_no_label_stay(indexed: Path, call: Callable[..., Result]) -> None:
    page = call("audit", indexed, MARKED).out
    assert "13 images predicted as it; " in page
    engine = open_read(indexed)
    marked = next(each for each in queries.classes(engine, 1) if each.name == MARKED)
    kinds = {each.kind: each for each in queries.findings(engine, marked.id)}
    assert {"watermark", "duplicate"} <= kinds.keys()
    assert kinds.keys() <= {"slice", "duplicate", "odd", "background", "watermark"}
    assert "magenta" in kinds["watermark"].title
    assert all(each.is_note for each in kinds.values())
    assert queries.error_words(engine, marked.id) == []
    audit = queries.class_audit(engine, marked.id)
    assert audit is not None and (audit.figures["accuracy"], audit.figures["bins"]) == (None, [])
    engine.dispose()


def test_exports_report_and_notebook_know_no_accuracy(
    indexed: Path, call: Callable[..., Result], tmp_path: Path
) -> None:
    for table, empty in {
        "classes": ("correct", "accuracy", "accuracy_low", "mean_true_probability"),
        "images": ("correct", "true_probability", "true_rank", "margin"),
        "regions": ("correct",),
        "captions": ("right", "wrong"),
        "summaries": ("right", "wrong"),
    }.items():
        out = tmp_path / f"{table}.jsonl"
        assert call("export", indexed, "--table", table, "--out", out).code == 0
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        rows = [row for row in rows if row.get("images") != 0]  # classes without photos
        assert rows and all(row[name] is None for row in rows for name in empty), table
    assert call("report", indexed, "--out", tmp_path / "report.html").code == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    words = re.sub(r"<style>.*?</style>|data:[^\"]*|<[^>]*>", " ", page, flags=re.S)
    assert SAID in words and "and 1 without images" in words
    found = OF_ERRORS.search(words)
    assert not found, words[found.start() - 80 : found.end() + 80]
    with mapcap.open(indexed) as store:
        assert all(each.accuracy is None for each in store.classes())
        assert {each.correct for each in store.images(MARKED)} == {None}
        assert store.run.unlabelled


def test_another_run_cannot_be_compared_with_it(indexed: Path, call: Callable[..., Result]) -> None:
    found = call("audit", indexed, "--against", 1, "--run", 1)
    assert found.code == 2
    engine = open_read(indexed)
    assert queries.paired_predictions(engine, 1, 1) == [], "nobody knows which are correct"
    engine.dispose()


async def test_the_app_knows_no_errors(indexed: Path) -> None:
    app = make_app(indexed, images="half")
    async with app.run_test(size=(160, 40)) as pilot:
        await rest(pilot)
        title = shown(app.screen.query_one("#title", Static))
        assert SAID in title and "accuracy" not in title
        keys = {column.key for column in app.screen.query_one("#classes").columns}  # type: ignore[attr-defined]
        assert keys == {"name", "images", "first_sentence"}
        assert [each.name for each in app.screen.query_one("#classes").records] == [  # type: ignore[attr-defined]
            MARKED, "flower", "vegetable",
        ]  # fmt: skip
        for key in ("m", "b", "greater_than_sign", "less_than_sign"):
            await pilot.press(key)
            await rest(pilot)
        assert len(app.screen_stack) == 1
        await pilot.press("enter")
        await rest(pilot)
        assert isinstance(app.screen, ClassScreen)
        for key in ("w", "c", "5"):
            await pilot.press(key)
            await rest(pilot)
        assert app.screen.query_one(TabbedContent).active == "findings-tab"
        await pilot.press("4")
        await rest(pilot)
        await pilot.press("f", "enter")
        await rest(pilot)
        assert isinstance(app.screen, ImageScreen)
        assert "as predicted" in shown(app.screen.query_one("#title", Static))
        assert not OF_ERRORS.search(shown(app.screen.query_one("#title", Static)))
