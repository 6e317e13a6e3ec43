"""Hostile and odd pictures: each is read rightly or refused with its reason, within the memory."""

import os
import random
import resource
import tempfile
import time
from pathlib import Path

from mapcap.datasets.images import LoadedImage, read_image
from scripts.prove._pictures import Case, cases
from scripts.prove._tally import Tally, options

_COUNT = 600
_TOLERANCE = 6
"""Of 255, between a colour and what a lossy format makes of it."""
_BOMB = 200 * 1024
"""Kilobytes that a picture may take which is refused for its size."""
_MOST = 1_500_000
"""Kilobytes that all of them together may take."""


def main(argv: list[str]) -> int:
    """Read every kind once, then damaged ones up to the count; return 1 if one did not hold."""
    given = options("pictures", __doc__, _COUNT).parse_args(argv)
    tally, kinds = Tally("pictures"), cases()
    names = list(kinds)
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.seed, given.seed + given.count):
            name = names[(number - 1) % len(names)]
            whole = number <= len(names)
            case = kinds[name] if whole else damaged(kinds[name], number)
            path = Path(folder) / f"{number}{case.ending}"
            path.write_bytes(case.data)
            before, began = _peak(), time.perf_counter()
            loaded = read_image(path)
            slowest = max(slowest, time.perf_counter() - began)
            fault = fault_of(case, loaded)
            if name.startswith("bomb") and _peak() - before > _BOMB:
                fault = fault or f"took {(_peak() - before) // 1024} MB"
            kind = name.partition(" ")[0] if whole else "damaged"
            if fault:
                tally.failed(kind, number, f"{name}: {fault}")
            else:
                tally.passed(kind)
            path.unlink()
    print(f"{len(names)} kinds; peak {_peak() // 1024} MB, slowest {slowest * 1000:.0f} ms")
    if _peak() > _MOST:
        tally.failed("memory", given.seed, f"{_peak() // 1024} MB")
    return tally.report(given.seed)


def damaged(case: Case, seed: int) -> Case:
    """Return a case with some bytes changed, of which is known only that nothing is raised."""
    chance, data = random.Random(seed), bytearray(case.data[:200_000])
    for _ in range(chance.randint(1, 8)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    return Case(bytes(data), None, either=True, ending=case.ending)


def fault_of(case: Case, loaded: LoadedImage) -> str | None:
    """Return what is wrong with what came of a case."""
    if (loaded.error is None) == (loaded.image is None):
        return "neither read nor refused"
    if loaded.error is not None:
        if not loaded.error.isprintable():
            return "its reason is not printable"
        if case.refused is None and not case.either:
            return f"refused: {loaded.error}"
        return None if (case.refused or "") in loaded.error else f"refused as: {loaded.error}"
    if case.refused is not None:
        return f"read, as {loaded.width} x {loaded.height}"
    image = loaded.image
    assert image is not None, "said above"
    if image.mode != "RGB" or loaded.thumbnail is None:
        return f"mode {image.mode}"
    if case.either:
        return None
    if case.size is not None and image.size != case.size:
        return f"size {image.size}, not {case.size}"
    if case.colour is not None:
        seen = image.getpixel((image.width // 4, image.height // 4))
        if max(abs(a - b) for a, b in zip(seen, case.colour, strict=True)) > _TOLERANCE:  # type: ignore[arg-type]
            return f"colour {seen}, not {case.colour}"
    return None


def _peak() -> int:
    """Return the kilobytes that this process has taken at most."""
    status = Path("/proc/self/status")
    if status.exists():  # what a process that started this one took does not count here
        high = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(high.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if os.uname().sysname == "Darwin" else peak
