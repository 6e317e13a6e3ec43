"""The same command after the photos changed: what it notices, and that a fresh run is no other."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from db import queries
from db.engine import open_read
from mapcap.datasets import images as reader
from mapcap.datasets.images import LoadedImage, read_image
from mapcap.datasets.sample import sample_path
from mapcap.indexing.stages import explaining as stage
from tests.calling import CLASSES, PER_CLASS, Result
from tests.commands.test_index_command import contents

pytestmark = pytest.mark.usefixtures("loaded_once")

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A place for photos, what lay there when they were indexed, and the file of that run."""
    place = tmp_path_factory.mktemp("rerun")
    photos, kept, db = place / "photos", place / "kept", place / "first.db"
    for name in CLASSES:
        (kept / name).mkdir(parents=True)
        for picture in sorted((sample_path() / name).glob("*.webp"))[:PER_CLASS]:
            shutil.copy(picture, kept / name)
    return photos, kept, db


@pytest.fixture
def photos(first: tuple[Path, Path, Path]) -> Path:
    folder, kept, _ = first
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, folder)  # with the times of the files
    return folder


@pytest.fixture
def indexed(first: tuple[Path, Path, Path], photos: Path, call: Call) -> Path:
    """The file of a run of the photos as they lay there first."""
    _, _, file = first
    if not file.exists():
        assert index(call, photos, file).code == 0
    return file


@pytest.fixture
def db(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(indexed, tmp_path / "photos.db"))


def index(call: Call, photos: Path, db: Path, *options: str | Path) -> Result:
    return call("index", photos, "--db", db, "--batch-size", "4", "--device", "cpu", *options)


def audits(db: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(db) as connection:
        return connection.execute(
            "SELECT name, line FROM class_audit JOIN class_name ON class_name.id = class_id "
            "ORDER BY name"
        ).fetchall()


def as_fresh(call: Call, photos: Path, db: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.db"
    assert index(call, photos, fresh).code == 0
    as_the_other(db, fresh)


def as_the_other(db: Path, other: Path) -> None:
    assert contents(db) == contents(other)
    assert audits(db) == audits(other)


def test_nothing_changed_is_nothing_to_do(call: Call, photos: Path, db: Path) -> None:
    before = db.read_bytes()
    result = index(call, photos, db)
    assert "with nothing left to do" in result.err
    assert db.read_bytes() == before


def test_all_that_can_happen_to_photos_at_once(
    call: Call, photos: Path, db: Path, tmp_path: Path
) -> None:
    bird, fruit, tool = (sorted((photos / name).iterdir()) for name in CLASSES)
    shutil.copy(fruit[0], bird[0])  # replaced
    bird[1].unlink()  # deleted
    fruit[1].rename(photos / "tool" / "moved.webp")
    extra = sorted((sample_path() / "tool").glob("*.webp"))[PER_CLASS]
    shutil.copy(extra, photos / "tool" / "new.webp")
    os.utime(tool[0], (1, 1))  # touched
    result = index(call, photos, db)
    assert result.code == 0, result.err
    assert "changed since: 2 images written since, 2 images gone" in result.err
    as_fresh(call, photos, db, tmp_path)


def test_a_file_that_was_only_touched_keeps_its_results(
    call: Call, photos: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched = next((photos / "bird").iterdir())
    os.utime(touched, (1, 1))
    monkeypatch.setattr(
        "mapcap.indexing.stages.explainer.explain",
        lambda *_: pytest.fail("nothing is to be explained"),
    )
    assert index(call, photos, db).code == 0
    again = index(call, photos, db)
    assert "with nothing left to do" in again.err


def test_the_label_that_a_manifest_corrects_is_the_label(
    call: Call, photos: Path, tmp_path: Path
) -> None:
    rows = [(path, name) for name in CLASSES for path in sorted((photos / name).iterdir())]
    manifest, db = tmp_path / "m.csv", tmp_path / "m.db"

    def write(labels: dict[Path, str]) -> None:
        lines = [f"{path},{labels.get(path, name)}" for path, name in rows]
        manifest.write_text("\n".join(["path,class", *lines]))

    write({})
    assert index(call, manifest, db).code == 0
    write({rows[0][0]: "tool"})
    result = index(call, manifest, db)
    assert result.code == 0 and "1 image with another class" in result.err
    as_fresh(call, manifest, db, tmp_path)


def test_a_disk_that_goes_away_ends_the_run_and_it_goes_on(
    call: Call, photos: Path, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, away = tmp_path / "away.db", tmp_path / "away"
    read = 0

    def goes_away(path: Path) -> LoadedImage:
        nonlocal read
        read += 1
        if read == 5:
            photos.rename(away)
        return read_image(path)

    monkeypatch.setattr(stage, "read_image", goes_away)
    monkeypatch.setattr(stage, "at_once", lambda function, items: [function(i) for i in items])
    result = index(call, photos, db)
    assert result.code == 2 and "the same command goes on" in result.err
    away.rename(photos)
    monkeypatch.undo()
    result = index(call, photos, db)
    assert result.code == 0, result.err
    as_the_other(db, indexed)


def test_a_photo_that_could_not_be_opened_is_tried_again(
    call: Call, photos: Path, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, lost = tmp_path / "lost.db", next((photos / "bird").iterdir())

    def without(path: Path) -> LoadedImage:
        return LoadedImage(error="cannot be read: I/O error") if path == lost else read_image(path)

    monkeypatch.setattr(stage, "read_image", without)
    assert "I/O error" in index(call, photos, db).err
    monkeypatch.undo()
    result = index(call, photos, db)
    assert result.code == 0 and "1 image tried again" in result.err
    as_the_other(db, indexed)


def test_a_broken_photo_is_not_read_again_until_it_is_repaired(
    call: Call, photos: Path, tmp_path: Path
) -> None:
    db, broken = tmp_path / "broken.db", photos / "bird" / "broken.webp"
    whole = next((photos / "bird").iterdir()).read_bytes()
    broken.write_bytes(whole[:100])
    assert index(call, photos, db).code == 0
    assert "with nothing left to do" in index(call, photos, db).err
    broken.write_bytes(whole)
    result = index(call, photos, db)
    assert result.code == 0 and "1 image written since" in result.err
    as_fresh(call, photos, db, tmp_path)


def test_a_refused_run_leaves_the_file_as_it_was(call: Call, photos: Path, db: Path) -> None:
    before = db.read_bytes()
    shutil.copytree(photos / "bird", photos / "owl")
    result = index(call, photos, db)
    assert result.code == 2 and "other classes" in result.err
    assert sorted(path.name for path in db.parent.iterdir()) == [db.name]
    engine = open_read(db)
    run = queries.latest_run(engine)
    assert run.status == "done" and run.finished is not None
    assert len(db.read_bytes()) == len(before)


def test_boxes_that_changed_are_stored(call: Call, photos: Path, tmp_path: Path) -> None:
    db, table = tmp_path / "boxes.db", tmp_path / "boxes.tsv"
    path = f"bird/{sorted((photos / 'bird').iterdir())[0].name}"

    def box_of() -> object:
        engine = open_read(db)
        return queries.image_by_path(engine, queries.latest_run(engine).id, path).box

    for box in ((0, 0, 50, 60), (10, 20, 90, 100)):
        corners = "\t".join(map(str, box))
        table.write_text(f"file\tx0\ty0\tx1\ty1\n{path}\t{corners}\n")
        result = index(call, photos, db, "--boxes", table)
        assert result.code == 0, result.err
        assert box_of() == box
    assert "1 image with another box" in result.err


def test_json_is_of_the_run_that_was_worked_on(call: Call, photos: Path, db: Path) -> None:
    assert index(call, photos, db, "--limit-per-class", "1").code == 0
    again = index(call, photos, db, "--json").json()
    assert again["counts"]["images"] == len(CLASSES) * PER_CLASS


def test_times_are_noted(photos: Path) -> None:
    path = next((photos / "bird").iterdir())
    assert reader.read_image(path).modified == path.stat().st_mtime_ns
