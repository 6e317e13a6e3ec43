"""A store that the real command filled from a few real photos with the real networks."""

from pathlib import Path

import pytest

from tests.calling import Result, mapcap


@pytest.fixture(scope="session")
def filled(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    db = tmp_path_factory.mktemp("filled") / "photos.db"
    return db, mapcap("index", photos, "--db", db, "--batch-size", "4")


@pytest.fixture(scope="session")
def db(filled: tuple[Path, Result]) -> Path:
    path, result = filled
    assert result.code == 0, result.err
    return path
