"""Every option with every nonsense of its type: refused, the option named, nothing written."""

import inspect
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from unittest.mock import patch

import typer
from typer.testing import CliRunner

from db.errors import StoreError
from mapcap.cli import make_app
from mapcap.datasets.sample import sample_path
from mapcap.errors import UserError
from scripts.prove._calling import TooSlowError, limited_to, quiet_environment
from scripts.prove._tally import Tally, options

_COUNT = 2_000
_SECONDS = 20
"""A trial may load the networks."""
_NUMBERS: Final = (
    "", " ", "x", "1.5.2", "--", "0x10", "1e999", "nan", "inf", "-inf",
    "-1", "-99999999999999999999",
    "99999999999999999999", str(2**63), str(2**64), "9" * 5000, "1_0_", "½",
    "١x", "\x1b[31m", "1,5",
)  # fmt: skip
_TEXTS: Final = (
    "nonsense",
    "",
    " ",
    "\x1b[31mred",
    "a" * 5000,
    "../../x",
    "'; drop table run",
    "{",
    "\u202e",
)
_FILES: Final = ("nowhere", "folder", "empty", "text", "binary", "fifo")
_WORDLESS: Final = frozenset({"prompt", "template", "json", "first_sentence", "keep_artefacts",
                              "class_frequency"})  # fmt: skip
"""Options that any text fits, and those that take none."""
_ACCEPTED: Final = frozenset({"log"})
_FITTING: Final = frozenset({("--relevance-start-layer", "-1")})
"""What looks like nonsense, and is a value of the option."""


class Begun(Exception):
    """The command began its work: the option was accepted."""


def main(argv: list[str]) -> int:
    """Give every option of `index` nonsense; return 1 if one is not refused as it should be."""
    given = options("options", __doc__, _COUNT).parse_args(argv)
    quiet_environment()
    tally, runner = Tally("options"), CliRunner()
    app = make_app(["index"])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = make_files(place)
        trials = list(trials_of(files))
        random.Random(given.seed).shuffle(trials)
        for number, (option, value) in enumerate(trials[: given.count], start=given.seed):
            fault = fault_of(runner, app, place, option, value)
            if fault:
                tally.failed(option, given.seed, f"{value[:40]!r} (trial {number}): {fault}")
            else:
                tally.passed(option)
    return tally.report(given.seed)


def trials_of(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield every option of `mapcap index` with every nonsense of its type."""
    from mapcap.commands.index import index

    for name, parameter in inspect.signature(index).parameters.items():
        if name in _WORDLESS | _ACCEPTED | {"photos", "db"}:
            continue
        kind = str(parameter.annotation)
        if "int" in kind or "float" in kind:
            values: Sequence[str] = _NUMBERS
        elif "Path" in kind:
            values = files
        else:
            values = _TEXTS
        option = "--" + name.replace("_", "-")
        option = {"--redundancy": "--redundancy-penalty"}.get(option, option)
        yield from ((option, value) for value in values)


def make_files(place: Path) -> list[str]:
    """Make files of every wrong kind; return their paths."""
    import os

    (place / "folder").mkdir()
    (place / "empty").write_bytes(b"")
    (place / "text").write_text("no table, no weights, nothing\n")
    (place / "binary").write_bytes(bytes(range(256)) * 20)
    os.mkfifo(place / "fifo")
    made = [str(place / name) for name in _FILES]
    return [*made, "/dev/zero", str(place / ("x" * 5000)), str(place / "text" / "x")]


def fault_of(
    runner: CliRunner, app: typer.Typer, place: Path, option: str, value: str
) -> str | None:
    """Return what is wrong with how a command takes an option; None where it refuses it."""
    db = place / "run.db"
    arguments = ["index", str(sample_path()), "--db", str(db), f"{option}={value}"]
    if option in ("--prediction-paths", "--class-order"):
        table = place / "given.csv"
        first = sorted(sample_path().glob("*/*.webp"))[0].relative_to(sample_path())
        table.write_text(f"path,prediction\n{first.as_posix()},0\n")
        arguments.append(f"--predictions={table}")
    if option == "--weights":
        arguments += ["--model=ViT-B-32", "--pretrained=openai"]
    before = sorted(each.name for each in place.iterdir())
    try:
        with (
            patch("mapcap.indexing.filling.run_stages", side_effect=Begun),
            limited_to(_SECONDS, _SECONDS * 3),
        ):
            result = runner.invoke(app, arguments)
    except TooSlowError:
        return "never ends"
    after = sorted(each.name for each in place.iterdir())
    error = result.exception
    if isinstance(error, UserError | StoreError):
        text, code = str(error), 2
    else:
        text, code = result.output, result.exit_code
    for each in set(after) - set(before):
        (place / each).unlink()
    if isinstance(error, Begun):
        return None if (option, value) in _FITTING else "accepted"
    if error is not None and not isinstance(error, UserError | StoreError | SystemExit):
        return f"{type(error).__name__}: {error}"[:200]
    if code != 2:
        return f"code {code}"
    if option not in text.replace("\n", ""):
        return f"the option is not named: {text[:200]!r}"
    return f"wrote {set(after) - set(before)}" if set(after) - set(before) - {"given.csv"} else None
