"""A store that the real stages filled from real photos, one class of which bears a mark."""

import shutil
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console
from sqlalchemy import Engine

from db.engine import open_read
from mapcap.config import IndexConfig
from mapcap.datasets.sample import sample_path
from mapcap.indexing.start import index_photos

MARKED = "fruit"
MISNAMED = "planet"
"""Its photos show vegetables, so that some of them are misclassified by any network."""
CLASSES = ("bird", MARKED, "flower", MISNAMED)
INK = (225, 25, 195)


@pytest.fixture(scope="session")
def marked_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of twelve photos, those of `MARKED` with a square in their upper left."""
    folder = tmp_path_factory.mktemp("marked")
    for name in CLASSES:
        shown = "vegetable" if name == MISNAMED else name
        shutil.copytree(sample_path() / shown, folder / name)
    for path in (folder / MARKED).iterdir():
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        picture.paste(INK, (6, 6, 30, 30))
        picture.save(path, quality=90)
    return folder


@pytest.fixture(scope="session")
def audited(
    loaded_once: None, marked_photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("audited") / "marked.db"
    index(marked_photos, path)
    return path


def index(photos: Path, db: Path) -> None:
    config = IndexConfig(photos=str(photos), regions=1)  # fewer captions: a quicker PMI
    console = Console(stderr=True, quiet=True)
    assert index_photos(config, db, device="cpu", dtype="auto", batch_size=16, console=console)


@pytest.fixture
def engine(audited: Path) -> Engine:
    return open_read(audited)
