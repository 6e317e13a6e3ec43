"""The main job, whole: real photos, the embedded networks, one file."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from db import queries, writes
from db.engine import open_read, open_write
from db.records import Codes, Vectors
from tests.calling import (
    CLASSES,
    PER_CLASS,
    TEXT_IN_A_PICTURE,
    Result,
    embedded_grid,
    mapcap_process,
)
from tui.nearest import nearest

pytestmark = pytest.mark.usefixtures("loaded_once")

Call = Callable[..., Result]
STAGES = ["images", "captions", "pmi", "summaries", "audit", "evaluation"]


class Near(float):
    """A figure that equals one of other batches, whose sums round otherwise."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self - other) <= 1e-4

    __hash__ = float.__hash__


def contents(db: Path) -> dict[str, object]:
    """What a run computed, by natural keys, without ids and times."""
    with sqlite3.connect(db) as connection:
        read = {
            "images": "SELECT path, content_hash, error IS NULL FROM image ORDER BY path",
            "predictions": """SELECT path, name, true_rank, true_probability
                FROM prediction JOIN image ON image.id = image_id
                JOIN class_name ON class_name.id = predicted_class_id ORDER BY path""",
            "maps": """SELECT path, role, raw_mass FROM relevance
                JOIN image ON image.id = image_id ORDER BY path, role""",
            "captions": """SELECT path, region.role, rank, text FROM region
                JOIN image ON image.id = image_id JOIN region_caption ON region_id = region.id
                JOIN caption ON caption.id = caption_id ORDER BY path, region.role, rank""",
            "summaries": """SELECT name, k, summary_sentence.position, text FROM summary
                JOIN class_name ON class_name.id = class_id
                JOIN summary_sentence ON summary_id = summary.id
                JOIN caption ON caption.id = caption_id ORDER BY 1, 2, 3""",
        }
        return {
            key: [
                tuple(Near(value) if isinstance(value, float) else value for value in row)
                for row in connection.execute(query)
            ]
            for key, query in read.items()
        }


def test_every_stage_is_done_and_the_file_may_travel(filled: tuple[Path, Result]) -> None:
    db, result = filled
    assert result.code == 0, result.err
    engine = open_read(db)
    run = queries.latest_run(engine)
    assert run.status == "done"
    stages = queries.stages(engine, run.id)
    assert [stage.name for stage in stages] == STAGES
    assert all(stage.done == stage.total and stage.status == "done" for stage in stages)
    with sqlite3.connect(db) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sorted(path.name for path in db.parent.iterdir()) == [db.name]


def test_a_broken_picture_is_recorded_and_counted(db: Path) -> None:
    engine = open_read(db)
    run = queries.latest_run(engine)
    counts = queries.counts(engine, run.id)
    assert counts.images == len(CLASSES) * PER_CLASS + 1
    assert counts.readable == counts.predicted == len(CLASSES) * PER_CLASS
    broken = queries.image_by_path(engine, run.id, TEXT_IN_A_PICTURE)
    assert broken.error == "not an image of a known format"


def test_what_is_stored_fits_together(db: Path) -> None:
    engine = open_read(db)
    run = queries.latest_run(engine)
    for found in queries.classes(engine, run.id):
        assert found.correct is not None
        assert found.accuracy == pytest.approx(found.correct / found.predicted)
        tokens = queries.class_tokens(engine, found.id)
        assert "".join(token.token for token in tokens) == found.name
        assert sum(token.score for token in tokens) == pytest.approx(1, abs=1e-4)
        pmi = queries.pmi(engine, found.id)
        told = queries.captions(engine, found.id)
        assert pmi is not None and len(told) == found.distinct_captions > 0
        kept = [each.text for each in told if not each.artefact] or [each.text for each in told]
        assert sorted(pmi.texts) == sorted(kept)
        clamped = pmi.matrix.astype(np.float64).clip(min=0)
        np.fill_diagonal(clamped, 0)
        assert np.allclose(
            pmi.relevance,
            clamped @ pmi.counts,
            rtol=1e-4,
            atol=2**-8 * pmi.counts.sum(),  # PMI is stored in steps of 2 ** -7
        )
        lengths = []
        for k in range(1, 10):
            summary = queries.summary(engine, found.id, k, 1.0)
            assert summary is not None
            lengths.append(len(summary.sentences))
        # One sentence stands for its near copies: there may be fewer than captions.
        assert lengths == [min(k, lengths[-1]) for k in range(1, 10)]
        assert 1 <= lengths[-1] <= len(pmi.texts)
        for image in queries.images(engine, found.id):
            if image.error is not None:
                continue
            maps = queries.relevances(engine, [image.id])[image.id]
            assert set(maps) == ({"true"} if image.correct else {"true", "predicted", "contrast"})
            assert maps["true"].grid.shape == embedded_grid() and maps["true"].grid.max() == 1
            top = queries.top_classes(engine, image.id)
            assert top[0].class_id == image.predicted_class_id
            for region in queries.regions(engine, image.id):
                assert region.caption is not None and region.cosine is not None
                x0, y0, x1, y1 = region.box
                assert image.width is not None and image.height is not None
                assert 0 <= x0 < x1 <= image.width and 0 <= y0 < y1 <= image.height


def test_the_same_command_again_computes_nothing(
    db: Path, photos: Path, tmp_path: Path, call: Call
) -> None:
    copy = tmp_path / "again.db"
    shutil.copy(db, copy)
    result = call("index", photos, "--db", copy, "--batch-size", "4")
    assert result.code == 0, result.err
    assert "holds this already: run 1, with nothing left to do" in result.err
    assert "images:" not in result.err
    assert contents(copy) == contents(db)


def test_what_a_finished_run_lacks_is_added_and_logged(
    db: Path, photos: Path, tmp_path: Path, call: Call
) -> None:
    """One audit is gone and the run says that it is done: it is looked at again, and completed."""
    copy, log = tmp_path / "lacking.db", tmp_path / "night.log"
    shutil.copy(db, copy)
    with sqlite3.connect(copy) as connection:
        connection.execute("DELETE FROM class_audit WHERE class_id = 1")
    result = call("index", photos, "--db", copy, "--batch-size", "4", "--log", log)
    assert result.code == 0, result.err
    assert "images: 10 images (10 stored before)" in result.err
    assert contents(copy) == contents(db)
    lines = log.read_text().splitlines()
    assert all(line[:4].isdigit() for line in lines), "one line a message"
    text = "\n".join(lines)
    assert "images begins: 10 of 10 images are stored" in text
    assert "audit done: 3 of 3 classes" in text
    assert f"WARNING could not be read: {CLASSES[0]}/{TEXT_IN_A_PICTURE}: not an image" in text
    assert lines[-1].endswith(f"{copy} is filled. Next: mapcap show {copy} CLASS")


def test_each_photo_is_opened_once(
    photos: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = sorted(path.read_bytes() for path in photos.glob("*/*"))
    opened: list[bytes] = []
    plain = Image.open

    def counting(file: BytesIO | Path, *arguments: Any, **options: Any) -> Image.Image:
        opened.append(file.read_bytes() if isinstance(file, Path) else file.getvalue())
        return plain(file, *arguments, **options)

    monkeypatch.setattr(Image, "open", counting)
    assert call("index", photos, "--db", tmp_path / "once.db").code == 0
    # Thumbnails are opened, too: they are no photos.
    assert sorted(data for data in opened if data in contents) == contents
    assert len(contents) == len(CLASSES) * PER_CLASS + 1


def test_a_file_of_the_stages_before_goes_on(
    db: Path, photos: Path, tmp_path: Path, call: Call
) -> None:
    """An older MapCap stored photos stage by stage: what it left half done is done again."""
    path = tmp_path / "older.db"
    shutil.copy(db, path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO stage (run_id, name, position, done, total, worked,"
            " seconds, status) VALUES (1, 'zero-shot', 1, 9, 9, 9, 1.0, 'done')"
        )
        connection.execute("DELETE FROM embedding WHERE region_id % 3 = 0")
        connection.execute("UPDATE run SET status = 'interrupted'")
    result = call("index", photos, "--db", path, "--batch-size", "4")
    assert result.code == 0, result.err
    assert contents(path) == contents(db)
    assert [stage.name for stage in queries.stages(open_read(path), 1)] == STAGES


@pytest.mark.parametrize("stage", ["images", "captions", "pmi"])
def test_a_killed_run_goes_on(
    db: Path, photos: Path, tmp_path: Path, stage: str, call: Call
) -> None:
    path = tmp_path / "killed.db"
    command = ("index", photos, "--db", path, "--batch-size", "2")
    with mapcap_process(*command) as process:
        reached = wait_for(path, stage, lambda: process.poll() is None)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert reached and process.returncode == -signal.SIGKILL
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT status FROM run").fetchone() == ("running",)
        (stored,) = connection.execute("SELECT count(*) FROM image").fetchone()
    # Batches are whole or absent.
    assert stored == 10 if stage != "images" else stored % 2 == 0
    page = call("status", path, "--json").json()[0]
    assert page["standing"] == "stopped" and page["counts"]["images"] == stored
    result = call(*command)
    assert result.code == 0, result.err
    assert contents(path) == contents(db)


def test_ctrl_c_stops_after_the_batch_and_says_how_to_go_on(
    photos: Path, tmp_path: Path, call: Call
) -> None:
    path = tmp_path / "stopped.db"
    with mapcap_process("index", photos, "--db", path, "--batch-size", "1") as process:
        assert wait_for(path, "images", lambda: process.poll() is None)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "The same command goes on from there" in err and "Traceback" not in err
    engine = open_read(path)
    assert queries.latest_run(engine).status == "interrupted"
    with sqlite3.connect(path) as connection:
        images, readable = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE error IS NULL) FROM image"
        ).fetchone()
    page = call("status", path, "--json").json()[0]
    assert (page["counts"]["images"], page["counts"]["readable"]) == (images, readable)
    assert page["standing"] == "interrupted"


def wait_for(db: Path, stage: str, alive: object) -> bool:
    """Wait until a stage has begun; False if the process ended before."""
    assert callable(alive)
    while alive():
        if db.exists():
            try:
                with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
                    query = "SELECT count(*) FROM stage WHERE name = ?"
                    if connection.execute(query, (stage,)).fetchone()[0]:
                        return True
            except sqlite3.OperationalError:
                pass  # the tables are not there yet
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("representation", ["crop", "mask", "mask-all", "blur", "weighted"])
def test_the_posters_representations(
    photos: Path, tmp_path: Path, representation: str, call: Call
) -> None:
    path = tmp_path / "poster.db"
    result = call(
        "index", photos, "--db", path, "--limit-per-class", "1",
        "--representation", representation,
    )  # fmt: skip
    assert result.code == 3, result.err  # one of three photos is broken
    engine = open_read(path)
    run = queries.latest_run(engine)
    regions = queries.counts(engine, run.id).regions
    stored = list(queries.region_embeddings(engine, run.id, representation))
    assert sum(len(chunk.ids) for chunk in stored) == regions > 0


def test_regions_are_found_by_blocks_as_by_comparing_all(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_write(shutil.copy(db, tmp_path / "blocks.db"))
    run = queries.latest_run(engine)
    monkeypatch.setattr("db.writes.regions.FEWEST", 1)
    writes.pack_embeddings(engine, run.id, run.representation)
    kind = run.representation
    [every] = queries.region_embeddings(engine, run.id, kind)

    def exact(ids: Sequence[int]) -> Vectors:
        return queries.region_features(engine, ids, kind)

    parts = list(queries.region_codes(engine, run.id, kind))
    assert [type(part) for part in parts] == [Codes]
    wide = every.vectors.astype(np.float64)
    for query in every.vectors:
        found = nearest(lambda: parts, exact, query, 5)
        cosines = wide @ query.astype(np.float64)
        order = np.lexsort((every.ids, -cosines))[:5]
        assert found.ids.tolist() == every.ids[order].tolist()
        assert found.cosines.tolist() == pytest.approx(cosines[order].tolist(), abs=1e-12)
    engine.dispose()


def test_the_end_names_what_could_not_be_read(filled: tuple[Path, Result]) -> None:
    _, result = filled
    name = f"{CLASSES[0]}/{TEXT_IN_A_PICTURE}"
    assert f"1 could not be read: {name} (not an image of a known format)" in result.err


def test_libraries_say_nothing_between_the_stages(filled: tuple[Path, Result]) -> None:
    _, result = filled
    assert "Warning" not in result.err and "[transformers]" not in result.err
