"""`mapcap index --predictions`, whole: the embedded networks' own predictions given as a file."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from db import queries
from db.engine import open_read
from db.records import Finding, Run
from mapcap.config import IndexConfig
from mapcap.datasets.sample import sample_path
from mapcap.errors import UserError
from mapcap.indexing.start import index_photos

PHOTOS = {"cow": 5, "fruit": 2, "planet": 2}
CLASSES = tuple(PHOTOS)


def index(photos: Path, db: Path, predictions: Path | None = None) -> int:
    config = IndexConfig(
        photos=str(photos),
        regions=1,
        max_sentences=2,  # the PMI is not what is tested
        predictions=None if predictions is None else str(predictions),
    )
    console = Console(stderr=True, quiet=True)
    run_id, finished = index_photos(
        config, db, device="cpu", dtype="auto", batch_size=16, console=console
    )
    assert finished
    return run_id


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    for name, count in PHOTOS.items():
        (folder / name).mkdir()
        for picture in sorted((sample_path() / name).glob("*.webp"))[:count]:
            shutil.copy(picture, folder / name)
    return folder


@pytest.fixture(scope="session")
def zero_shot(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    db = tmp_path_factory.mktemp("zero") / "runs.db"
    assert index(photos, db) == 1
    return db


def probabilities(db: Path) -> dict[str, dict[str, float]]:
    """What run 1 says of each photo: the probability of each class."""
    engine = open_read(db)
    said = {
        image.path: {each.name: each.probability for each in queries.top_classes(engine, image.id)}
        for found in queries.classes(engine, 1)
        for image in queries.images(engine, found.id)
    }
    engine.dispose()
    return said  # type: ignore[return-value]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def findings(db: Path, run_id: int) -> list[list[tuple[str, str, float]]]:
    engine = open_read(db)
    found = [
        [_plain(each) for each in queries.findings(engine, record.id)]
        for record in queries.classes(engine, run_id)
    ]
    engine.dispose()
    return found


def _plain(each: Finding) -> tuple[str, str, float]:
    return each.kind, each.title, round(each.score, 4)


def run_of(db: Path, run_id: int) -> Run:
    engine = open_read(db)
    try:
        return queries.run(engine, run_id)
    finally:
        engine.dispose()


def test_its_own_predictions_give_the_same_accuracy_and_findings(
    zero_shot: Path, tmp_path: Path, photos: Path
) -> None:
    db = tmp_path / "both.db"
    shutil.copy(zero_shot, db)
    said = probabilities(db)
    rows = [[f"/elsewhere/{path}", *(p[name] for name in CLASSES)] for path, p in said.items()]
    table = write(tmp_path / "given.csv", ["path", *CLASSES], rows)
    second = index(photos, db, table)
    engine = open_read(db)
    before, after = queries.classes(engine, 1), queries.classes(engine, second)
    assert [each.accuracy for each in after] == [each.accuracy for each in before]
    assert [each.agreed for each in after] == list(PHOTOS.values())
    assert [each.agreed for each in before] == [None] * len(CLASSES)
    for one, other in zip(before, after, strict=True):
        pairs = zip(queries.images(engine, one.id), queries.images(engine, other.id), strict=True)
        for old, new in pairs:
            assert (old.path, old.true_rank) == (new.path, new.true_rank)
            assert new.margin == pytest.approx(old.margin, abs=1e-3)
            assert new.witness_name == new.predicted_name
    engine.dispose()
    assert findings(db, 1) == findings(db, second)
    assert index(photos, db, table) == second, "the same file is the same run"


def test_errors_of_another_classifier_are_explained_with_the_clip_as_witness(
    tmp_path: Path, photos: Path
) -> None:
    """Names alone: nothing else is invented; every cow, which the CLIP sees, is called a plate."""
    db = tmp_path / "runs.db"
    rows = [
        [path, "plate" if path.parent.name == "cow" else path.parent.name]
        for path in sorted(photos.glob("*/*"))
    ]
    second = index(photos, db, write(tmp_path / "given.csv", ["path", "prediction"], rows))
    engine = open_read(db)
    found = {each.label: each for each in queries.classes(engine, second)}
    assert list(found) == [*CLASSES, "plate"]
    assert (found["plate"].images, found["plate"].accuracy) == (0, None)
    cow = found["cow"]
    assert (cow.correct, cow.top_wrong_name, cow.mean_true_probability) == (0, "plate", None)
    for image in queries.every_image(engine, cow.id):
        assert (image.margin, image.true_rank, image.true_probability) == (None, None, None)
        assert image.witness_name in {*CLASSES, "plate"}
        maps = queries.relevances(engine, [image.id])[image.id]
        assert set(maps) == {"true", "predicted", "contrast"}
        assert maps["predicted"].target_name == "plate"
        assert [top.probability for top in queries.top_classes(engine, image.id)] == [None]
    audit = queries.class_audit(engine, cow.id)
    assert audit is not None
    assert (audit.figures["ece"], audit.figures["mean_margin"]) == (None, None)
    kinds = [each.kind for each in queries.findings(engine, cow.id)]
    assert "disagreement" in kinds and "label" not in kinds
    engine.dispose()


def test_a_file_that_cannot_be_used_stops_before_any_work(photos: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "given.csv", ["path", "prediction"], [["cat/1.jpg", "cow"]])
    with pytest.raises(UserError, match="no row matches a photo"):
        index(photos, tmp_path / "none.db", table)
    assert not (tmp_path / "none.db").exists()
