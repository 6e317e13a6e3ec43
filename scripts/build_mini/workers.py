"""Parts of a step at once, each in a process of its own with one thread.

The captioner is so small that two cores do more with one part each than together with one.
"""

import argparse
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from typing import TypeVar

import torch

Part = TypeVar("Part")


def side_by_side(
    work: Callable[[Part, argparse.Namespace], None],
    parts: Iterable[Part],
    given: argparse.Namespace,
) -> None:
    """Call `work` on each part with the step's options, as many at once as `given.threads`.

    The first error of a part is raised.
    """
    with ProcessPoolExecutor(
        given.threads, get_context("spawn"), torch.set_num_threads, (1,)
    ) as pool:
        list(pool.map(work, parts, repeat(given)))
