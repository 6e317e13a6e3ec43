"""How fast MapCap computes, each part beside the plain or the published way, in one run.

    python -m scripts.bench [PART ...] [--device cuda] [--json FILE]

Without PART all of them; the minutes are those of two quiet CPU cores at the default sizes:

    pass      5  explaining photos, beside encode_image alone and the published relevance, at the
                 shapes of --shapes with random weights, one and three targets
    index     3  the whole index, beside a loop that only decodes and encodes
    captions  1  ClipCap at GPT-2 small's shape, batched, beside the published loop
    pmi       3  the PMI of a class's captions at GPT-2 small's shape, beside the published code
    growth    5  how the index grows with photos and classes, the PMI with captions of a class
    memory    3  peak memory of indexing the fewest and the most photos of --growth-photos
    bytes     1  size of the file, a photo

growth, memory, index and bytes share what they index, with the embedded networks. Ways that are
compared run in turn (A, B, A, B ...), seconds are medians, and ratios are medians of the rounds'
ratios: on a machine that others use, too, only the ratios mean anything.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mapcap.datasets import scan
from mapcap.errors import UserError, closest
from mapcap.networks.devices import pick_device
from mapcap.text import clean
from scripts.bench import captioning, explaining, growth, indexing, scoring
from scripts.bench.figures import Figure, show
from scripts.bench.indexes import Indexes
from scripts.bench.sizes import OPTIONS, Sizes

Part = Callable[[Sizes, torch.device, Indexes], Iterator[Figure]]
PARTS: dict[str, Part] = {
    "pass": lambda sizes, device, indexes: explaining.measure(sizes, device),
    "index": indexing.measure,
    "captions": lambda sizes, device, indexes: captioning.measure(sizes, device),
    "pmi": lambda sizes, device, indexes: scoring.measure(sizes, device),
    "growth": growth.measure,
    "memory": growth.measure_memory,
    "bytes": indexing.measure_bytes,
}
_GROWING = ("growth_photos", "growth_classes", "growth_captions")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the figures or also write them as JSON, and return the exit status."""
    given = _parser().parse_args(arguments)
    values: dict[str, Any] = {}
    for name in OPTIONS:
        value = getattr(given, name)
        values[name] = tuple(value) if isinstance(value, list) else value
    sizes = Sizes(**values)
    console = Console(width=max(100, Console().width))
    try:
        device = pick_device(given.device)
        _check(given.part, sizes, given.json)
        with tempfile.TemporaryDirectory(prefix="mapcap-bench-") as folder:
            indexes = Indexes(Path(folder), given.device, sizes.side)
            figures: list[Figure] = []
            console.print(_machine(device))
            for part in given.part or PARTS:
                found = list(PARTS[part](sizes, device, indexes))
                show(console, part, found)
                figures += found
    except UserError as error:
        print(clean(str(error)), file=sys.stderr)
        return 2
    if given.json is not None:
        page = {
            "machine": _machine(device),
            "torch": torch.__version__,
            "sizes": asdict(sizes),
            "figures": [asdict(figure) for figure in figures],
        }
        given.json.write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="*", metavar="PART")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ...; default cpu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    for field in fields(Sizes):
        default: Any = field.default
        many = isinstance(default, tuple)
        example = default[0] if many else default
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=_positive if isinstance(example, int) else str,
            nargs="+" if many else None,
            default=default,
            metavar="N" if isinstance(example, int) else "NAME",
            help=OPTIONS[field.name] + _default(default),
        )
    return parser


def _default(value: Any) -> str:
    if value is None:
        return ""
    return f"; default {' '.join(map(str, value)) if isinstance(value, tuple) else value}"


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _check(parts: Sequence[str], sizes: Sizes, file: Path | None) -> None:
    """Raise `UserError` for what could not be measured or written, before any work."""
    for part in parts:
        if part not in PARTS:
            raise UserError(f"{part}: no part of the bench. {closest(part, PARTS)}")
    for name in _GROWING:
        if len(set(getattr(sizes, name))) < 2:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"{option}: give two different numbers at least, to see them grow")
    if sizes.sentences < 2:
        raise UserError("--sentences: a PMI has two captions at least")
    if "pmi" in (parts or PARTS):
        scoring.read_sentences(sizes)
    if sizes.folder is not None:
        scan(sizes.folder)
    if file is not None and not file.absolute().parent.is_dir():
        raise UserError(f"--json {file}: there is no such folder; make it, or name another file")


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{platform.processor() or platform.machine()}, {threads} threads"


if __name__ == "__main__":
    sys.exit(main())
