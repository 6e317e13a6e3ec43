"""Two runs in one file: what the second takes over, and that it is as if it had been computed."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel
from mapcap.datasets.sample import sample_path
from mapcap.indexing import stage_keys
from tests.calling import CLASSES, PER_CLASS, Result

pytestmark = pytest.mark.usefixtures("loaded_once")

Call = Callable[..., Result]
NOT_SHARED_BY = {
    # Where things lie, and what they are called.
    "photos", "preset", "names", "boxes", "box_format", "box_units", "class_level",
    "limit_per_class", "predictions", "prediction_paths", "class_order", "class_weights",
    # What later stages do.
    "sentences", "redundancy", "class_frequency", "shared", "concepts",
}  # fmt: skip
# Every table that a stage shares, by natural keys, with all that does not count rows.
TABLES = {
    "image": """SELECT path, label, content_hash, width, height, file_size, x0, y0, x1, y1, error,
        modified, attributes, webp FROM image JOIN class_name ON class_name.id = class_id
        LEFT JOIN thumbnail ON image_id = image.id WHERE image.run_id = ? ORDER BY path""",
    "prediction": """SELECT path, true.label, guess.label, prediction.correct, true_probability,
        true_rank, margin, vector, norm FROM prediction JOIN image ON image.id = image_id
        JOIN class_name true ON true.id = prediction.class_id
        JOIN class_name guess ON guess.id = predicted_class_id
        JOIN image_embedding USING (image_id) WHERE image.run_id = ? ORDER BY path""",
    "top": """SELECT path, rank, label, probability, logit FROM prediction_top
        JOIN image ON image.id = image_id JOIN class_name ON class_name.id = prediction_top.class_id
        WHERE image.run_id = ? ORDER BY path, rank""",
    "witness": """SELECT path, label, probability, true_probability FROM witness
        JOIN image ON image.id = image_id
        JOIN class_name ON class_name.id = predicted_class_id WHERE image.run_id = ?""",
    "relevance": """SELECT path, role, label, grid, raw_max, raw_mass, region_count FROM relevance
        JOIN image ON image.id = image_id JOIN class_name ON class_name.id = target_class_id
        WHERE image.run_id = ? ORDER BY path, role""",
    "region": """SELECT path, role, rank, region.x0, region.y0, region.x1, region.y1, area_share,
        mass_share, patch_mask, mask, representation, vector, norm FROM region
        JOIN image ON image.id = image_id JOIN embedding ON region_id = region.id
        WHERE region.run_id = ? AND image.run_id = region.run_id ORDER BY path, role, rank""",
    "caption": """SELECT path, region.role, rank, label, region_caption.role, text, token_count,
        is_empty, artefact, round(log_probability, 5), round(cosine, 5) FROM region_caption
        JOIN region ON region.id = region_id JOIN image ON image.id = image_id
        JOIN caption ON caption.id = caption_id AND caption.run_id = image.run_id
        JOIN class_name ON class_name.id = region_caption.class_id
        WHERE image.run_id = ? ORDER BY path, region.role, rank""",
    "pmi": """SELECT label, counts, matrix, surprisal, relevance, distinct_total, region_total
        FROM pmi JOIN class_name ON class_name.id = class_id WHERE run_id = ? ORDER BY label""",
    "summary": """SELECT label, k, summary_sentence.position, text, relevance, score FROM summary
        JOIN class_name ON class_name.id = class_id JOIN summary_sentence ON summary_id = summary.id
        JOIN caption ON caption.id = caption_id WHERE class_name.run_id = ? ORDER BY 1, 2, 3""",
    "audit": """SELECT label, line, clauses, class_audit.predicted, region_total FROM class_audit
        JOIN class_name ON class_name.id = class_id WHERE run_id = ? ORDER BY label""",
    "class": """SELECT label, images, correct, accuracy, distinct_captions, first_sentence
        FROM class_name WHERE run_id = ? ORDER BY label""",
    "figure": "SELECT name, round(value, 12), n FROM figure WHERE run_id = ? ORDER BY name",
}


def stored(db: Path, run_id: int) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(db) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {
            name: connection.execute(query, (run_id,)).fetchall() for name, query in TABLES.items()
        }


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sharing") / "photos"
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for picture in sorted((sample_path() / name).glob("*.webp"))[:PER_CLASS]:
            shutil.copy(picture, folder / name)
    return folder


@pytest.fixture(scope="module")
def first(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [tmp_path_factory.mktemp("first") / "photos.db"]


@pytest.fixture
def db(first: list[Path], photos: Path, tmp_path: Path, call: Call) -> Path:
    if not first[0].exists():
        assert index(call, photos, first[0]).code == 0
    copy = tmp_path / "photos.db"
    shutil.copy(first[0], copy)
    return copy


def index(call: Call, photos: Path, db: Path, *options: str | Path) -> Result:
    # Photos by themselves: what a photo shares a batch with moves its last bits, and a patch at the
    # threshold with them.
    return call("index", photos, "--db", db, "--batch-size", "1", "--device", "cpu", *options)


def as_alone(
    call: Call,
    photos: Path,
    db: Path,
    tmp_path: Path,
    *options: str | Path,
) -> None:
    """Compare the second run of a file with the same run computed alone."""
    alone = tmp_path / "alone.db"
    assert index(call, photos, alone, *options).code == 0
    before, after = stored(alone, 1), stored(db, 2)
    for name in TABLES:
        assert after[name] == before[name], name
        assert before[name] or name == "witness", name


def test_a_run_of_other_summaries_computes_no_photo_caption_or_pmi(
    call: Call, photos: Path, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stored(db, 1)
    with monkeypatch.context() as patched:
        for place in ("explaining.Explaining", "captions.Captioning", "pmi.Scoring"):
            patched.setattr(
                f"mapcap.indexing.stages.{place}.compute",
                lambda *_: pytest.fail("nothing of this is to be computed"),
            )
        result = index(call, photos, db, "--redundancy-penalty", "0.5")
    assert result.code == 0, result.err
    assert "images: 9 images taken over from run 1" in result.err
    assert "regions taken over from run 1" in result.err
    assert "pmi: 3 classes taken over from run 1" in result.err
    assert stored(db, 1) == first
    as_alone(call, photos, db, tmp_path, "--redundancy-penalty", "0.5")


def test_a_run_with_another_captioner_shares_the_photos_alone(
    call: Call, photos: Path, db: Path, tmp_path: Path
) -> None:
    result = index(call, photos, db, "--captioner", "phrases")
    assert "images: 9 images taken over from run 1" in result.err, result.err
    assert "regions taken over" not in result.err
    assert "classes taken over" not in result.err
    as_alone(call, photos, db, tmp_path, "--captioner", "phrases")


def test_a_run_of_other_regions_shares_nothing(call: Call, photos: Path, db: Path) -> None:
    result = index(call, photos, db, "--regions", "1", "--max-sentences", "3")
    assert result.code == 0, result.err
    assert "taken over" not in result.err


def test_photos_that_changed_are_computed_and_boxes_are_those_of_the_run(
    call: Call, photos: Path, db: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(photos, moved)  # with the times of the files
    bird, fruit, _ = (sorted((moved / name).iterdir()) for name in CLASSES)
    bird[0].write_bytes(fruit[0].read_bytes())
    boxes = tmp_path / "boxes.tsv"
    boxes.write_text(f"fruit/{fruit[1].name}\t1\t2\t30\t40\n", encoding="utf-8")
    result = index(call, moved, db, "--boxes", boxes)
    assert "images: 8 images taken over from run 1" in result.err, result.err
    # The captions of its class are others.
    assert "pmi: 2 classes taken over from run 1" in result.err
    as_alone(call, moved, db, tmp_path, "--boxes", boxes)


def test_a_stage_that_another_method_went_on_with_is_not_shared(
    call: Call, photos: Path, db: Path
) -> None:
    with sqlite3.connect(db) as connection:
        connection.execute("UPDATE stage SET inputs_hash = 'old', status = 'running'")
        connection.execute("UPDATE run SET status = 'interrupted'")
    assert index(call, photos, db).code == 0
    with sqlite3.connect(db) as connection:
        assert set(connection.execute("SELECT inputs_hash FROM stage")) == {("",)}
    assert "taken over" not in index(call, photos, db, "--sentences", "3").err


def test_every_setting_is_in_a_key_or_known_to_be_in_none() -> None:
    named = {*stage_keys.IMAGES, *stage_keys.CAPTIONS, *stage_keys.PMI}
    assert {field.name for field in fields(IndexConfig)} == named | NOT_SHARED_BY
    assert not named & NOT_SHARED_BY


def test_keys_follow_what_a_stage_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    config = IndexConfig(photos="sample")
    classes = (ClassLabel("bird", "bird"), ClassLabel("cow", "cow"))

    def keys(config: IndexConfig = config, **others: Any) -> dict[str, str]:
        given = {"classes": classes, "digests": {}, "half": None} | others
        return stage_keys.stage_keys(config, **given)

    def shared(other: dict[str, str]) -> set[str]:
        return {name for name, key in keys().items() if other[name] == key}

    everything = {"images", "captions", "pmi"}
    assert shared(keys(replace(config, photos="/elsewhere", sentences=3))) == everything
    assert shared(keys(replace(config, captioner="phrases"))) == {"images", "pmi"}
    assert shared(keys(replace(config, region_view="blur"))) == {"images", "pmi"}
    assert shared(keys(replace(config, decoding="beam"))) == {"images", "pmi"}
    assert shared(keys(replace(config, lm="gpt2"))) == {"images", "captions"}
    assert shared(keys(replace(config, regions=1))) == {"pmi"}
    assert shared(keys(classes=classes[::-1])) == {"pmi"}
    assert shared(keys(half=torch.bfloat16)) == {"pmi"}
    assert shared(keys(digests={"--lm": "0"})) == {"images", "captions"}
    assert shared(keys(digests={"--weights": "0"})) == set()
    mini = keys()
    monkeypatch.setattr(stage_keys, "weights_digest", lambda path: "other")
    assert not set(mini.items()) & set(keys().items())
