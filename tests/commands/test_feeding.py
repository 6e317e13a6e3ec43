"""Batches read ahead and stored behind, and how large they are."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from db import queries
from db.engine import open_read
from mapcap.explanation import Explanation, explain
from mapcap.indexing.batch_size import BatchSize
from mapcap.indexing.feeding import read_ahead, stored_behind
from mapcap.indexing.stages import explainer
from mapcap.indexing.stages.base import Stage
from tests.calling import CLASSES, PER_CLASS, Result
from tests.commands.test_index_command import contents

Call = Callable[..., Result]


class Numbers(Stage[list[int], None]):
    """A stage that reads its items' numbers, and notes what it was asked."""

    name = unit = "numbers"
    ahead = 2

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.slow = threading.Event()

    def total(self) -> int:
        return 0

    def pending(self) -> Sequence[int]:
        return ()

    def read(self, items: Sequence[int]) -> list[int]:
        self.asked.append(list(items))
        if 0 in items:
            assert self.slow.wait(30)
        else:
            self.slow.set()  # a later batch is read while the first one is
        return [-number for number in items]

    def compute(self, data: list[int], tick: Callable[[float], None]) -> None: ...

    def store(self, result: None) -> None: ...


def test_batches_come_in_order_and_only_so_many_are_read_ahead() -> None:
    numbers, sizes = Numbers(), iter([2, 2, 1, 4, 4, 4])
    seen = []
    for items, data in read_ahead(numbers, range(10), lambda: next(sizes)):
        assert data == [-number for number in items]
        seen.append(list(items))
        assert len(numbers.asked) <= len(seen) + numbers.ahead
    assert seen == [[0, 1], [2, 3], [4], [5, 6, 7, 8], [9]]
    assert sorted(numbers.asked) == seen


def test_what_reading_raises_is_raised() -> None:
    class Broken(Numbers):
        def read(self, items: Sequence[int]) -> list[int]:
            raise OSError(f"no {items[0]}")

    with pytest.raises(OSError, match="no 0"):
        list(read_ahead(Broken(), range(9), lambda: 3))
    assert list(read_ahead(Numbers(), [], lambda: 3)) == []


def test_writes_are_in_order_by_one_thread_and_none_is_lost() -> None:
    stored: list[tuple[int, int]] = []

    def store(number: int) -> Callable[[], None]:
        return lambda: stored.append((number, threading.get_ident()))

    with pytest.raises(KeyboardInterrupt), stored_behind() as behind:
        for number in range(9):
            behind.put(store(number))
        raise KeyboardInterrupt
    assert [number for number, _ in stored] == list(range(9))
    (thread,) = {thread for _, thread in stored}
    assert thread != threading.get_ident()


def test_what_a_write_raises_ends_the_block() -> None:
    def fails() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"), stored_behind() as behind:
        behind.put(fails)


def work(size: BatchSize, rate: Callable[[int], float], batches: int = 100) -> list[int]:
    """Work on so many batches at a rate for each size; return the sizes in their order."""
    sizes = []
    for _ in range(batches):
        sizes.append(size.now)
        size.worked(size.now, size.now / rate(size.now))
    return list(dict.fromkeys(sizes))


def test_batches_grow_while_that_pays() -> None:
    enough = BatchSize(64, grows=True)
    assert work(enough, lambda size: min(size, 200)) == [64, 128, 256, 512]
    assert enough.now == 256
    assert work(BatchSize(64, grows=True), lambda size: size) == [64, 128, 256, 512]
    assert work(BatchSize(64, grows=True), lambda size: 100) == [64, 128]
    assert work(BatchSize(64), lambda size: size) == [64]
    assert work(BatchSize(64, fixed=True, grows=True), lambda size: size) == [64]
    unpaid = BatchSize(64, grows=True)
    work(unpaid, lambda size: 100)
    assert unpaid.now == 64


def test_batches_of_another_size_say_nothing_of_this_one() -> None:
    size = BatchSize(64, grows=True)
    for _ in range(100):
        size.worked(32, 1.0)
    assert size.now == 64


def test_after_a_lack_of_memory_batches_stay_small() -> None:
    size = BatchSize(64, grows=True)
    size.too_large(64)
    assert work(size, lambda size: size) == [32]
    size.too_large(64)  # had been read before
    assert size.now == 32
    size.too_large(1)
    assert size.now == 1


@pytest.fixture
def small_device(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device whose memory suffices for three photos; the batches that were tried there."""
    tried: list[int] = []

    def explained(model: Any, views: Tensor, *rest: Any) -> Explanation:
        tried.append(len(views))
        if len(views) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return explain(model, views, *rest)

    monkeypatch.setattr(explainer, "explain", explained)
    return tried


def test_without_memory_batches_are_halved_and_no_photo_is_lost(
    db: Path, photos: Path, tmp_path: Path, call: Call, small_device: list[int]
) -> None:
    path = tmp_path / "small.db"
    result = call("index", photos, "--db", path)
    assert result.code == 0, result.err
    # 10 files: 5 + 5, of which the first holds the broken one; then 2 + 3 each.
    assert small_device[0] == len(CLASSES) * PER_CLASS and max(small_device[1:]) <= 5
    assert contents(path) == contents(db)
    stages = queries.stages(open_read(path), 1)
    assert [stage.done for stage in stages] == [stage.total for stage in stages]


def test_a_batch_size_that_was_chosen_is_not_changed(
    photos: Path, tmp_path: Path, call: Call, small_device: list[int]
) -> None:
    path = tmp_path / "fixed.db"
    result = call("index", photos, "--db", path, "--batch-size", "5", "--dtype", "bfloat16")
    assert result.code == 2
    assert "memory of --device cpu does not suffice for 5 images" in result.err
    assert "smaller --batch-size than 5" in result.err
    run = queries.latest_run(open_read(path))
    assert (run.status, run.device) == ("failed", "cpu, bfloat16")
    assert len(small_device) == 1


def test_status_shows_where_the_seconds_went(db: Path, call: Call) -> None:
    for found in queries.stages(open_read(db), 1):
        spent = found.reading + found.computing + found.writing
        assert spent == pytest.approx(found.seconds)
        assert min(found.computing, found.reading, found.writing) > 0
    page = call("status", db)
    (images,) = (line for line in page.out.splitlines() if line.lstrip().startswith("images "))
    assert images.count("%") == 3
    first = call("status", db, "--json").json()[0]["stages"][0]
    assert first["computing"] > 0
