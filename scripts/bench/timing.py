"""Several ways to do one thing, timed in turn: on a shared machine only their ratio means much."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Seconds = dict[str, list[float]]
"""Of each way, the seconds an item took in every round."""


@dataclass(frozen=True)
class Way:
    """One way to do it, and how many items a call does."""

    run: Callable[[], object]
    items: int = 1


def in_turn(ways: Mapping[str, Way], repeats: int, device: torch.device) -> Seconds:
    """Call the ways in turn (A, B, A, B ...), `repeats` times after one round to warm up."""
    seconds: Seconds = {name: [] for name in ways}
    for number in range(repeats + 1):
        for name, way in ways.items():
            wait(device)
            began = time.perf_counter()
            way.run()
            wait(device)
            if number:
                seconds[name].append((time.perf_counter() - began) / way.items)
    return seconds


def wait(device: torch.device) -> None:
    """Wait until a GPU has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ratio(seconds: Seconds, name: str, to: str) -> float:
    """Return the median, over the rounds, of one way's seconds divided by another's."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[to], strict=True))
