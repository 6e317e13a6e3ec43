"""A few real photos, and a store that the real command filled from them with the real networks."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mapcap import cli
from mapcap.datasets.sample import sample_path

CLASSES = ("bird", "fruit", "tool")
PER_CLASS = 3
TEXT_IN_A_PICTURE = "broken.webp"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def mapcap_process(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command as a shell would, on one thread, far from the networks' hubs."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.Popen(
        [sys.executable, "-m", "mapcap", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def mapcap(*arguments: str | Path) -> Result:
    with mapcap_process(*arguments) as process:
        out, err = process.communicate(timeout=300)
    return Result(process.returncode, out, err)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of three pictures each, and one file that is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    for name in CLASSES:
        (folder / name).mkdir()
        for picture in sorted((sample_path() / name).glob("*.webp"))[:PER_CLASS]:
            shutil.copy(picture, folder / name)
    (folder / CLASSES[0] / TEXT_IN_A_PICTURE).write_text("not a picture")
    return folder


@pytest.fixture(scope="session")
def filled(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    db = tmp_path_factory.mktemp("filled") / "photos.db"
    return db, mapcap("index", photos, "--db", db, "--batch-size", "4")


@pytest.fixture(scope="session")
def db(filled: tuple[Path, Result]) -> Path:
    path, result = filled
    assert result.code == 0, result.err
    return path


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Call the command line within this process: quick, for the commands that load no network."""

    def run(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["mapcap", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Result(code, *capsys.readouterr())

    return run
