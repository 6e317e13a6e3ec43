"""Wherever it runs: encodings, widths, streams that are full, closed or no terminal at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from db.engine import finish, open_write
from mapcap.commands.base import console
from mapcap.errors import UserError
from mapcap.indexing.stopping import stop_on_signals
from mapcap.printing.progress import Bars
from mapcap.printing.streams import Forgiving
from tests.calling import Result
from tests.stores import Photo, write_run


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_run(
        open_write(tmp_path_factory.mktemp("small") / "small.db"),
        {"Käfer": [Photo(path="Käfer/1.jpg", captions={"true": ["a 漢字 sign."]})], "ant": []},
    )
    finish(run.engine)
    return run.path


def run(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, out: int = subprocess.PIPE
) -> Result:
    """Run the command in an environment of its own; text is decoded as far as it goes."""
    done = subprocess.run(
        [sys.executable, "-m", "mapcap", *map(str, arguments)],
        stdout=out,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    text = (done.stdout or b"").decode("latin-1")
    return Result(done.returncode, text, done.stderr.decode("latin-1"))


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_an_encoding_without_our_signs_gets_others(
    small: Path, environment: dict[str, str]
) -> None:
    done = run("classes", small, environment=environment)
    assert done.code == 0, done.err
    assert "K\\xe4fer" in done.out
    assert "##### 100 %" in done.out


def test_a_terminal_of_no_width_is_none(
    small: Path, call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    assert console().width > 0
    monkeypatch.setenv("COLUMNS", "40")
    assert console().width == 40


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_an_output_that_is_full_is_one_line(small: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("classes", small, out=full.fileno())
    assert done.code == 2
    assert done.err.startswith("mapcap: the output: ")
    assert done.err.count("\n") == 1


def test_browse_without_a_terminal_ends_at_once(small: Path) -> None:
    done = run("browse", small)
    assert done.code == 2
    assert done.err.startswith("mapcap: browse needs a terminal")
    assert done.err.count("\n") == 1


class Gone:
    """A stream whose reader is gone."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def isatty(self) -> bool:
        raise ValueError("closed")


def test_progress_that_cannot_be_printed_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from mapcap.commands.base import errors

    monkeypatch.setattr(sys, "stderr", Gone())
    with Bars(errors()) as bars:
        bars.begin("images", "images", 0, 2)
        bars.advance(2)
        bars.end()
    assert Forgiving(Gone()).write("abc") == 3


def test_a_hangup_asks_once_however_often_it_comes() -> None:
    said = list[str]()
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored
    try:
        with stop_on_signals(lambda: said.append("stopping")) as asked:
            assert not asked()
            for _ in range(3):
                signal.raise_signal(signal.SIGHUP)
            assert asked()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert said == ["stopping"]


def test_a_hangup_is_ignored_where_it_was_before() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals(lambda: None) as asked:
            signal.raise_signal(signal.SIGHUP)
            assert not asked()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_stored_configuration_of_other_types_is_refused() -> None:
    from mapcap.config import IndexConfig

    damaged: tuple[dict[str, object], ...] = (
        {"sentences": 2.5},
        {"regions": "x"},
        {"templates": 1},
        {"redundancy": []},
        {"sentences": 99},
        {"photos": 5},
    )
    for wrong in damaged:
        with pytest.raises(UserError, match="configuration is damaged"):
            IndexConfig.of({"photos": "x"} | wrong)
    with pytest.raises(UserError, match="--sentences"):
        IndexConfig(photos="x", sentences=99)
