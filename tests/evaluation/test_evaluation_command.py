"""`mapcap evaluate` from the first run to the last page, with the embedded networks."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from db import queries, writes
from db.engine import finish, open_read, open_write
from mapcap.config import IndexConfig
from mapcap.evaluation.measuring import Measuring
from mapcap.evaluation.samples import draw_sample, measured_images
from mapcap.networks.clip import load_clip
from mapcap.networks.devices import pick_device
from tests.calling import CLASSES, PER_CLASS, Result

Call = Callable[..., Result]


@pytest.fixture
def db(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(indexed, tmp_path / "photos.db"))


@pytest.fixture
def boxes(db: Path, tmp_path: Path) -> Path:
    engine = open_read(db)
    run = queries.latest_run(engine)
    lines = ["file\tx0\ty0\tx1\ty1"]
    for found in queries.classes(engine, run.id):
        for image in queries.images(engine, found.id):
            if image.width and image.height:
                edges = (image.width // 4, image.height // 4, image.width // 2, image.height // 2)
                lines.append("\t".join(map(str, (image.path, *edges))))
    table = tmp_path / "boxes.tsv"
    table.write_text("\n".join(lines))
    return table


def figures(call: Call, db: Path, *options: str) -> dict[str, dict[str, float]]:
    result = call("evaluate", db, *options, "--json")
    assert result.code == 0, result.err
    return {figure["name"]: figure for figure in result.json()["figures"]}


def test_the_stage_has_measured_what_needs_no_picture(db: Path, call: Call) -> None:
    found = figures(call, db)
    assert found["map-entropy"]["n"] == len(CLASSES) * PER_CLASS
    assert 0 < found["map-entropy"]["value"] <= 1
    assert 1 <= found["class-retrieval-rank"]["value"] <= len(CLASSES)
    assert found["class-retrieval-rank-chance"]["value"] == 2
    assert 1 <= found["nameless-retrieval-rank"]["value"] <= len(CLASSES)
    assert "pointing" not in found and "tokens-deletion" not in found
    engine = open_read(db)
    stage = queries.stages(engine, queries.latest_run(engine).id)[-1]
    assert (stage.name, stage.status) == ("evaluation", "done")


def test_the_page_says_what_is_not_measured_and_how(db: Path, call: Call) -> None:
    page = call("evaluate", db).out
    assert f"mapcap evaluate {db} --sample 200" in page.replace("\n", "")
    assert f"mapcap evaluate {db} --boxes FILE" in page.replace("\n", "")
    assert "Captions" in page and "caption-distinct" in page
    assert "Localisation" not in page and "Faithfulness" not in page


def test_a_sample_is_measured_once(db: Path, call: Call) -> None:
    result = call("evaluate", db, "--sample", "2", "--batch-size", "1", "--device", "cpu")
    assert result.code == 0, result.err
    assert "sample: 2 images" in result.err
    assert "Faithfulness" in result.out and "sanity-last-block" in result.out
    assert "not measured; `mapcap evaluate" not in result.out.split("localisation")[0]
    first = figures(call, db)
    assert first["tokens-deletion"]["n"] == 2
    again = call("evaluate", db, "--sample", "2", "--device", "cpu")
    assert "2 stored before" in again.err
    assert figures(call, db) == first
    engine = open_read(db)
    run_id = queries.latest_run(engine).id
    per_image = queries.image_figures(engine, run_id)
    assert measured_images(per_image) == set(draw_sample(engine, run_id, 2, 0).ids)
    mean = sum(named["blur-random"] for named in per_image.values()) / 2
    assert first["blur-random"]["value"] == pytest.approx(mean)
    assert sorted(path.name for path in db.parent.iterdir()) == [db.name]  # no WAL left


def test_a_larger_sample_holds_the_smaller_one_and_all_classes(db: Path) -> None:
    engine = open_read(db)
    run_id = queries.latest_run(engine).id
    small, large = draw_sample(engine, run_id, 3, 0), draw_sample(engine, run_id, 7, 0)
    assert large.ids[:3] == small.ids
    classes = {image.id: image.class_id for image in (queries.image(engine, i) for i in large.ids)}
    assert len({classes[number] for number in small.ids}) == 3
    assert all(classes[number] != classes[other] for number, other in large.neighbours.items())
    assert len(draw_sample(engine, run_id, 1000, 0).ids) == len(CLASSES) * PER_CLASS


def test_boxes_given_afterwards_are_kept(db: Path, boxes: Path, call: Call) -> None:
    result = call("evaluate", db, "--boxes", boxes)
    assert result.code == 0, result.err
    assert f"{len(CLASSES) * PER_CLASS} boxes" in result.err
    assert "Localisation" in result.out
    found = figures(call, db)
    assert found["energy"]["n"] == len(CLASSES) * PER_CLASS
    assert found["energy-uniform"]["value"] < 0.2
    engine = open_read(db)
    run = queries.latest_run(engine)
    images = [i for c in queries.classes(engine, run.id) for i in queries.images(engine, c.id)]
    assert all(image.box is not None for image in images if image.error is None)
    assert len(queries.thumbnails(engine, [image.id for image in images])) == 9


def test_a_file_without_figures_gets_them_with_the_sample(db: Path, call: Call) -> None:
    """As one that an older MapCap wrote."""
    engine = open_write(db)
    with engine.begin() as connection:
        for table in ("figure", "class_figure", "image_figure"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    finish(engine)
    page = call("evaluate", db)
    assert page.code == 0
    assert "not measured" in page.out and "mapcap index" in page.out
    assert call("evaluate", db, "--sample", "1", "--device", "cpu").code == 0
    found = figures(call, db)
    assert "caption-distinct" in found and "tokens-deletion" in found


def test_changed_photos_are_left_out(db: Path, call: Call, tmp_path: Path) -> None:
    engine = open_write(db)
    run = queries.latest_run(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE image SET content_hash = 'another'")
    finish(engine)
    result = call("evaluate", db, "--sample", "2", "--device", "cpu")
    assert result.code == 0, result.err
    assert "2 images left out" in result.err
    assert queries.image_figures(open_read(db), run.id) == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sample", "0"], "'--sample'"),
        (["--sample", "1", "--batch-size", "0"], "'--batch-size'"),
        (["--boxes", "nowhere.tsv"], "nowhere.tsv"),
        (["--run", "7"], "no run 7"),
    ],
)
def test_mistakes_are_told(db: Path, call: Call, options: list[str], said: str) -> None:
    result = call("evaluate", db, *options)
    assert result.code == 2
    assert said in result.err.replace("\n", " ")


def test_hostile_class_names_reach_no_terminal(db: Path, call: Call) -> None:
    hostile = db.parent / "a\x1b[31mb.db"
    shutil.copy(db, hostile)
    assert "\x1b" not in call("evaluate", hostile).out


def test_a_grown_class_is_measured_anew(db: Path) -> None:
    engine = open_write(db)
    run = queries.latest_run(engine)
    config = IndexConfig(photos="sample")
    measuring = Measuring(engine, run.id, config, load_clip("mini", device=pick_device("cpu")))
    assert measuring.pending() == []
    (image, *_) = queries.images(engine, queries.classes(engine, run.id)[0].id)
    writes.mark_unreadable(engine, [(image.id, "gone")])
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM prediction WHERE image_id = {image.id}")
    writes.aggregate_accuracy(engine, run.id)
    assert len(measuring.pending()) == len(CLASSES)
    engine.dispose()


def test_printing_needs_no_torch(db: Path) -> None:
    code = (
        "import sys; from mapcap import cli; sys.argv = ['mapcap', 'evaluate', sys.argv[1]]\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'scipy', 'open_clip', 'transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code, db], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Captions" in done.stdout


def test_ctrl_c_stops_and_the_same_command_goes_on(db: Path, call: Call) -> None:
    command = ("evaluate", db, "--sample", "3", "--batch-size", "1", "--device", "cpu")
    run_id = queries.latest_run(open_read(db)).id

    def interrupt() -> None:
        """Strike as soon as the first image is stored, well after the handler stands."""
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            if queries.image_figures(open_read(db), run_id):
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.05)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    stopped = call(*command)
    watcher.join()
    assert stopped.code == 130, stopped.err
    assert "The same command goes on from there" in stopped.err
    stored = queries.image_figures(open_read(db), run_id)
    assert 0 < len(stored) < 3
    # What was measured until then has its figures.
    assert figures(call, db)["tokens-deletion"]["n"] == len(stored)
    done = call(*command)
    assert done.code == 0
    assert f"{len(stored)} stored before" in done.err
    assert figures(call, db)["tokens-deletion"]["n"] == 3
