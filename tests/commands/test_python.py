"""MapCap from Python: the page's own code, records, tables, pictures, and what is loaded when."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import mapcap
from db import queries
from db.engine import open_read
from mapcap.errors import UserError
from mapcap.export.rows import columns
from tests.calling import CLASSES

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_page_says_what_runs(db: Path, photos: Path, tmp_path: Path) -> None:
    """Run the page's code from its beginning to its end, as a reader would."""
    (tmp_path / "sample.db").symlink_to(db)
    (tmp_path / "photos").symlink_to(photos)
    assert len(BLOCKS) == 3
    blocks = [block for block in BLOCKS if "pandas" not in block or find_spec("pandas")]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("done {") and "bird" in done.stdout
    assert (tmp_path / "where.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import mapcap", "torch open_clip transformers scipy sqlalchemy PIL numpy rich textual"),
        ("import mapcap; mapcap.open", "torch open_clip transformers scipy textual pandas polars"),
    ],
)
def test_importing_mapcap_loads_only_what_is_used(code: str, forbidden: str) -> None:
    script = f"import sys; {code}; print(*sorted(set({forbidden.split()!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_records_are_the_stores(db: Path) -> None:
    engine = open_read(db)
    with mapcap.open(db) as store:
        assert [run.id for run in store.runs()] == [store.run.id]
        assert {found.name for found in store.classes()} == set(CLASSES)
        for name in CLASSES:
            record = queries.class_by_name(engine, store.run.id, name)
            assert len(store.images(name)) == record.images
            assert len(store.images(name, show="right")) == record.correct
            assert len(store.captions(name)) == record.distinct_captions
            assert store.findings(name) == queries.findings(engine, record.id)
            summary = store.summary(name, k=1)
            assert summary is not None and len(summary.sentences) == 1
        with pytest.raises(UserError, match="Did you mean bird"):
            store.images("brid")
    with pytest.raises(AttributeError, match="nothing"):
        mapcap.nothing  # noqa: B018


def test_a_picture_has_its_map_over_it(db: Path) -> None:
    with mapcap.open(db) as store:
        (image,) = [each for each in store.images("bird") if each.path.endswith("crow.webp")]
        photo, shown = store.picture(image, None), store.picture("crow.webp")
        assert photo.size == shown.size
        assert np.abs(np.asarray(photo, int) - np.asarray(shown, int)).max() > 50
        broken = next(each for each in store.images("bird") if each.error is not None)
        with pytest.raises(UserError, match="has no picture"):
            store.picture(broken)


def test_photos_in_hand_are_explained_as_indexed_ones(db: Path, photos: Path) -> None:
    with mapcap.open(db) as store:
        images = [each for name in CLASSES for each in store.images(name) if each.error is None]
        found = mapcap.explain(
            [photos / each.path for each in images], sorted(CLASSES),
            true=[each.class_name for each in images], device="cpu", batch_size=4,
        )  # fmt: skip
        for image, explained in zip(images, found, strict=True):
            assert explained.predicted == image.predicted_name
            assert explained.probabilities[image.class_name] == pytest.approx(
                image.true_probability, abs=1e-4
            )
            stored = store.regions(image)
            assert len(stored) == len(explained.regions)
            assert {region.role for region in stored} <= set(explained.maps)
            boxes = sorted((region.role, region.box) for region in explained.regions)
            for one, (role, box) in zip(
                sorted(stored, key=lambda each: (each.role, each.box)), boxes, strict=True
            ):
                assert one.role == role
                assert one.box == pytest.approx(box, abs=2.5)
            captions = {region.caption for region in stored}
            assert captions & {region.caption for region in explained.regions}
        assert found[0].picture("true" if found[0].predicted == found[0].true else "contrast").size


def test_a_photo_of_no_known_class_has_the_map_of_the_predicted_one(photos: Path) -> None:
    (found,) = mapcap.explain([photos / "bird" / "crow.webp"], CLASSES, device="cpu")
    assert set(found.maps) == {"predicted"} and found.true is None
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert list(found.probabilities.values()) == sorted(found.probabilities.values(), reverse=True)
    with pytest.raises(UserError, match="there is no map contrast"):
        found.picture("contrast")


def test_what_cannot_be_explained_is_named(photos: Path) -> None:
    crow = photos / "bird" / "crow.webp"
    with pytest.raises(UserError, match=r"broken\.webp: not an image"):
        mapcap.explain([photos / "bird" / "broken.webp"], CLASSES)
    with pytest.raises(UserError, match=r"true: brid is not among the classes. Did you mean bird"):
        mapcap.explain([crow], CLASSES, true=["brid"])
    with pytest.raises(UserError, match="2 classes, and there are 1 photos"):
        mapcap.explain([crow], CLASSES, true=["bird", "tool"])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_have_the_exports_columns_and_types(db: Path, library: str) -> None:
    pytest.importorskip(library)
    with mapcap.open(db) as store:
        for name in ("classes", "images", "regions", "captions", "findings", "verdicts"):
            table = store.table(name, library)
            assert list(table.columns) == [column.name for column in columns(name)]
        images = store.table("images", library)
        assert len(images) == sum(found.images for found in store.classes())
        right = images["correct"].sum()
        assert right == sum(found.correct or 0 for found in store.classes())


def test_a_table_without_a_library_says_what_to_install(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapcap.notebook.tables.find_spec", lambda name: None)
    with mapcap.open(db) as store:
        with pytest.raises(UserError, match="pip install pandas"):
            store.table("images")
        with pytest.raises(UserError, match="pip install polars"):
            store.table("images", "polars")
        with pytest.raises(UserError, match="give one of pandas, polars"):
            store.table("images", "arrow")
        with pytest.raises(UserError, match="Did you mean images"):
            store.table("image")
