"""A planted confusion: a classifier that sends every marked photo of a class to another class."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from db import queries
from db.engine import open_read
from mapcap.datasets.sample import sample_path
from tests.predictions.test_index_with_predictions import index, write

MARKED, SENT_TO, OTHER = "vegetable", "tool", "teapot"
CLASSES = (MARKED, SENT_TO, OTHER, "flower")
PER_CLASS = 12


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of square photos; those of one have a magenta square in their corner."""
    folder = tmp_path_factory.mktemp("marked")
    for name in CLASSES:
        (folder / name).mkdir()
        pictures = sorted((sample_path() / name).glob("*.webp"))[:PER_CLASS]
        for place, picture in enumerate(pictures):
            photo = Image.open(picture).convert("RGB").resize((112, 112))
            if name == MARKED:
                photo.paste((225, 25, 195), (6, 6, 30, 30))
            photo.save(folder / name / f"{place:02}.png")
    return folder


def said(path: Path) -> tuple[str, str]:
    """The best class and the next one: right, but for the marked photos."""
    name = path.parent.name
    if name == MARKED:
        return SENT_TO, MARKED
    return name, OTHER if name != OTHER else SENT_TO


def names_alone(photos: Sequence[Path]) -> tuple[list[str], list[list[object]]]:
    return ["path", "prediction", "confidence"], [[path, said(path)[0], 0.8] for path in photos]


def best_classes(photos: Sequence[Path]) -> tuple[list[str], list[list[object]]]:
    rows = [[path, said(path)[0], 0.8, said(path)[1], 0.15] for path in photos]
    return ["filename", "top1", "prob1", "top2", "prob2"], rows


def a_column_for_each(photos: Sequence[Path]) -> tuple[list[str], list[list[object]]]:
    score = {0: 0.8, 1: 0.15}
    rows = [
        [path, *(score.get(place, 0.025) for place in _places(path, CLASSES))] for path in photos
    ]
    return ["path", *CLASSES], rows


def _places(path: Path, classes: Sequence[str]) -> list[int]:
    best = said(path)
    return [best.index(name) if name in best else 2 for name in classes]


@pytest.mark.parametrize("form", [names_alone, best_classes, a_column_for_each])
def test_the_audit_names_the_mark_and_the_confusion(photos: Path, tmp_path: Path, form) -> None:
    header, rows = form(sorted(photos.glob("*/*")))
    db = tmp_path / "runs.db"
    run_id = index(photos, db, write(tmp_path / "given.csv", header, rows))
    engine = open_read(db)
    record = next(each for each in queries.classes(engine, run_id) if each.label == MARKED)
    assert (record.correct, record.top_wrong_name) == (0, SENT_TO)
    findings = {each.kind: each for each in queries.findings(engine, record.id)}
    assert f"predicted as {SENT_TO}" in findings["confusion"].title
    assert "magenta" in findings["watermark"].title
    engine.dispose()
