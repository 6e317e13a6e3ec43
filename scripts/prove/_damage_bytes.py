"""Damage to a store's bytes, as disks, copies and downloads do it."""

import random
from pathlib import Path


def _overwrite(file: Path, at: int, new: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(new)


def flip_bytes(file: Path, chance: random.Random) -> None:
    """Write other bytes at a few places, of the first pages as often as of the rest."""
    size = file.stat().st_size
    for _ in range(chance.choice((1, 1, 3, 20, 200))):
        _overwrite(file, chance.randrange(chance.choice((100, 8192, size))), chance.randbytes(1))


def break_page(file: Path, chance: random.Random) -> None:
    """Put noise, zeros or another page in the place of a page."""
    data, size = file.read_bytes(), 8192
    pages = max(1, len(data) // size)
    at, other = chance.randrange(pages) * size, chance.randrange(pages) * size
    new = chance.choice((bytes(size), chance.randbytes(size), data[other : other + size]))
    _overwrite(file, at, new)


def cut(file: Path, chance: random.Random) -> None:
    """Leave the beginning of the file alone, or lengthen it."""
    data = file.read_bytes()
    kept = chance.choice((0, 1, 16, 99, 100, 4096, 8192, chance.randrange(len(data))))
    file.write_bytes(data[:kept] if chance.random() < 0.9 else data + chance.randbytes(kept))


def lay_wal(file: Path, chance: random.Random) -> None:
    """Lay a WAL beside the file that is not its own."""
    wal = file.with_name(file.name + "-wal")
    wal.write_bytes(chance.randbytes(chance.choice((0, 1, 32, 5000))))
    if chance.random() < 0.3:
        _overwrite(file, 18, b"\x02\x02")
