"""Options of the command line, each with what is nonsense for its type."""

import inspect
import os
import random
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from typer.models import OptionInfo

from mapcap.cli import _COMMANDS
from mapcap.datasets.sample import sample_path

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
_ANYTHING: Final = frozenset({"--prompt", "--template", "--log", "--address"})
"""Options that any text fits."""
_FITTING: Final = frozenset({
    ("index", "--relevance-start-layer", "-1"), ("index", "--concepts", "text"),
    ("index", "--db", "nowhere"), ("index", "--db", "empty"),
    ("report", "--out", "nowhere"), ("export", "--out", "nowhere"), ("sample", "--out", "nowhere"),
    ("sample", "--out", "folder"), ("fetch", "--out", "nowhere"), ("fetch", "--out", "folder"),
})  # fmt: skip
"""What looks like nonsense, and is a value of the option; of files the names."""
_ASKED_FOR: Final = frozenset({"nowhere", "empty"})
"""Files of verdicts that are not there yet, or hold none."""


class Trial(NamedTuple):
    """A command with an option and a value that is nonsense for it."""

    command: str
    option: str
    value: str

    def arguments(self, place: Path, store: Path) -> list[str]:
        """Return the command's arguments, with what it needs beside the option."""
        given = f"{self.option}={self.value}" if self.option[:2] == "--" else self.option
        more = [given] if given != self.option else [self.option, self.value]
        out = [] if self.option == "--out" else ["--out", str(place / "out.csv")]
        needed: dict[str, list[str]] = {
            "index": [str(sample_path()), "--db", str(place / "run.db"), *_beside(self, place)],
            "image": [str(store), "crow.webp"],
            "show": [str(store), "bird"],
            "search": [str(store), "a"],
            "export": [str(store), *out, *_rest(self.option)],
            "report": [str(store), *out],
            "sample": [],
            "fetch": ["tiny-imagenet"],
            "evaluate": [str(store), *(["--sample=1"] if self.option == "--batch-size" else [])],
        }
        return [self.command, *needed.get(self.command, [str(store)]), *more]


def trials_of(files: Sequence[str]) -> Iterator[Trial]:
    """Yield every option of every command with every nonsense of its type."""
    for command, place in _COMMANDS.items():
        module, _, name = place.partition(":")
        function = getattr(import_module(module), name)
        for parameter in inspect.signature(function).parameters.values():
            option = _option(parameter)
            if option is None or option in _ANYTHING:
                continue
            for value in _values(str(parameter.annotation), option, files):
                known = value if value not in files else Path(value).name
                if (command, option, known) not in _FITTING:
                    yield Trial(command, option, value)


def make_files(place: Path) -> list[str]:
    """Make files of every wrong kind; return their paths."""
    (place / "folder").mkdir()
    (place / "empty").write_bytes(b"")
    (place / "text").write_text("no table, no weights, nothing\n")
    (place / "binary").write_bytes(bytes(range(256)) * 20)
    os.mkfifo(place / "fifo")
    made = [str(place / name) for name in _FILES]
    return [*made, "/dev/zero", str(place / ("x" * 5000)), str(place / "text" / "x")]


def _rest(option: str) -> list[str]:
    """Return what `mapcap export` needs beside one of its options."""
    given = {"--table": "--table=images", "--format": "--format=csv"}
    return [text for name, text in given.items() if name != option]


def _option(parameter: inspect.Parameter) -> str | None:
    """Return how an option is called; None for an argument, or where it takes no value."""
    annotated: Any = parameter.annotation
    info = next((each for each in get_args(annotated) if isinstance(each, OptionInfo)), None)
    if info is None or "bool" in str(annotated):
        return None
    names = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    return max(names, key=len) if names else "--" + parameter.name.replace("_", "-")


def _values(kind: str, option: str, files: Sequence[str]) -> Sequence[str]:
    if "int" in kind or "float" in kind:
        return _NUMBERS
    if "Path" in kind:
        given = [each for each in files if Path(each).name not in _ASKED_FOR]
        return given if option == "--verdicts" else files
    return _TEXTS


def _beside(trial: Trial, place: Path) -> list[str]:
    """Return what an option of `mapcap index` goes with."""
    if trial.option in ("--prediction-paths", "--class-order"):
        table = place / "given.csv"
        first = random.Random(0).choice(sorted(sample_path().glob("*/*.webp")))
        table.write_text(f"path,prediction\n{first.relative_to(sample_path()).as_posix()},0\n")
        return [f"--predictions={table}"]
    return ["--model=ViT-B-32", "--pretrained=openai"] if trial.option == "--weights" else []
