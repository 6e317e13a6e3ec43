"""What tests of several rooms use: photos, the command line, networks that are loaded once."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mapcap import cli
from mapcap.config import IndexConfig
from mapcap.datasets.sample import sample_path
from tests.calling import CLASSES, PER_CLASS, TEXT_IN_A_PICTURE, Result

# pytest runs as many workers as there are cores: more threads would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")


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
def loaded_once() -> Iterator[None]:
    """Load the embedded networks once a process, not once a run."""
    from mapcap.indexing import filling  # not above: most tests need no torch
    from mapcap.networks.loading import load_networks

    kept = dict[Any, Any]()

    def load_once(config: IndexConfig, *where: Any) -> Any:
        mini = (config.model, config.captioner, config.lm) == ("mini", "mini", "mini")
        if not mini or config.classifier is not None:
            return load_networks(config, *where)
        if where not in kept:
            kept[where] = load_networks(config, *where)
        return kept[where]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filling, "load_networks", load_once)
        yield


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Call the command line within this process: quicker than to start it."""

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
