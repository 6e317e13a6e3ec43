"""What a long job has freed goes back to the system."""

import os
from pathlib import Path

import pytest

from mapcap.indexing import memory
from mapcap.indexing.memory import FreeMemory


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_memory_that_lies_between_what_is_held_is_given_back() -> None:
    if memory._malloc_trim() is None:
        pytest.skip("the C library is not glibc")
    blocks = [bytes([n % 256]) * 60_000 for n in range(5000)]
    held = blocks[::20]
    del blocks
    before = resident()
    FreeMemory().give_back()
    assert before - resident() > 200e6
    assert len(held) == 250


def test_not_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 101.0, 200.0])
    monkeypatch.setattr("mapcap.indexing.memory.time.monotonic", lambda: next(times))
    calls = list[int]()
    monkeypatch.setattr(memory, "_malloc_trim", lambda: calls.append)
    free = FreeMemory()
    for _ in range(3):
        free.give_back()
    assert calls == [0, 0]
