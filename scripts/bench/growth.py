"""Parts `growth` and `memory`: how time and memory grow with photos, classes and captions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch

from mapcap.networks.language_models import load_language_model
from mapcap.pmi import pmi_matrix
from scripts.bench.figures import EXPONENT, MEGABYTES, SECONDS, TIMES, Figure
from scripts.bench.indexes import Indexed, Indexes
from scripts.bench.indexing import CLASSES
from scripts.bench.sizes import Sizes
from scripts.bench.timing import wait
from scripts.bench_browse import figures as made_up

_WHOLE = "all stages"


def measure(sizes: Sizes, device: torch.device, indexes: Indexes) -> Iterator[Figure]:
    """Measure and fit all three; exponents are those of seconds ~ number ** exponent."""
    by_photos = {n: indexes.once(indexes.photos(n, CLASSES)) for n in sizes.growth_photos}
    yield from _of_indexes("photos", by_photos)
    # As many photos whatever the number of classes: two of each, where there are most.
    photos = 2 * max(sizes.growth_classes)
    by_classes = {n: indexes.once(indexes.photos(photos, n)) for n in sizes.growth_classes}
    yield from _of_indexes("classes", by_classes)
    by_captions = dict(_captions(sizes.growth_captions, device))
    for n, seconds in by_captions.items():
        yield Figure("growth", f"PMI, {n:,} captions of a class", seconds, SECONDS)
    yield Figure("growth", "PMI, in captions of a class", exponent(by_captions), EXPONENT)


def measure_memory(sizes: Sizes, device: torch.device, indexes: Indexes) -> Iterator[Figure]:
    """Compare the peaks of indexing the fewest and the most photos."""
    ends = min(sizes.growth_photos), max(sizes.growth_photos)
    few, many = (indexes.once(indexes.photos(n, CLASSES)).peak_bytes for n in ends)
    for n, peak in zip(ends, (few, many), strict=True):
        yield Figure("memory", f"peak, {n:,} photos", peak / 1e6, MEGABYTES)
    yield Figure("memory", f"peak, {ends[1]:,} / {ends[0]:,} photos", many / few, TIMES)


def exponent(seconds: Mapping[int, float]) -> float:
    """Return the slope of the line through (log number, log seconds), by least squares."""
    numbers, values = np.array(list(seconds)), np.array(list(seconds.values()))
    return float(np.polyfit(np.log(numbers), np.log(values), 1)[0])


def exponent_of_steps(seconds: Mapping[int, float]) -> float:
    """Return p of seconds = a + b * number ** p from three numbers or more, each the same multiple.

    What is added from one number to the next does not know the constant: what loading takes.
    """
    return exponent({n: seconds[more] - seconds[n] for n, more in pairwise(seconds)})


def _of_indexes(what: str, runs: Mapping[int, Indexed]) -> Iterator[Figure]:
    for n, run in runs.items():
        yield Figure("growth", f"index, {n:,} {what}, {run.photos:,} photos", run.seconds, SECONDS)
    of_stage = {_WHOLE: {n: run.seconds for n, run in runs.items()}}
    for stage in next(iter(runs.values())).stages:
        of_stage[stage] = {n: run.stages[stage] for n, run in runs.items()}
    for stage, seconds in of_stage.items():
        if all(seconds.values()):  # a stage that took no time has no exponent
            yield Figure("growth", f"{stage}, in {what}", exponent(seconds), EXPONENT)
    processor = {n: run.processor for n, run in sorted(runs.items())}
    for n, seconds_of_it in processor.items():
        yield Figure("growth", f"processor, {n:,} {what}", seconds_of_it, SECONDS)
    multiples = {more / n for n, more in pairwise(processor)}
    if len(processor) > 2 and len(multiples) == 1:
        steps = exponent_of_steps(processor)
        yield Figure("growth", f"processor without loading, in {what}", steps, EXPONENT)


def _captions(numbers: Sequence[int], device: torch.device) -> Iterator[tuple[int, float]]:
    """Yield the seconds of the PMI of so many captions, with the embedded language model."""
    network = load_language_model("mini", device=device)
    texts = made_up.captions(max(numbers))
    pmi_matrix(texts[: min(numbers)], network.model, network.tokenizer)
    for n in numbers:
        wait(device)
        began = time.perf_counter()
        pmi_matrix(texts[:n], network.model, network.tokenizer)
        yield n, time.perf_counter() - began
