"""Part `pass`: explaining photos beside `encode_image` alone, and beside the published way."""

from collections.abc import Iterator
from itertools import cycle
from statistics import median
from typing import Any

import torch
from torch.nn import functional as F

from mapcap.config import IndexConfig
from mapcap.explanation import Method, explain
from mapcap.heads import text_head
from mapcap.representations import encode_images
from scripts.bench import published
from scripts.bench.figures import SECONDS, TIMES, Figure
from scripts.bench.networks import clip_of
from scripts.bench.sizes import Sizes
from scripts.bench.timing import Way, in_turn, ratio

_CLASSES = 200
_ALONE = "encode_image"
_TARGETS = (1, 3)


def measure(sizes: Sizes, device: torch.device) -> Iterator[Figure]:
    """Measure every shape."""
    for shape in sizes.shapes:
        yield from measure_model(shape, clip_of(shape, device), sizes, device)


def measure_model(name: str, model: Any, sizes: Sizes, device: torch.device) -> Iterator[Figure]:
    """Time a CLIP's plain forward pass, MapCap's pass and the published relevance, a photo each.

    One target: every photo is predicted as its class. Three: none is.
    """
    torch.manual_seed(1)
    images = torch.randn(sizes.batch, 3, *_size(model), device=device)
    features = encode_images(model, images)
    texts = F.normalize(torch.randn(_CLASSES, features.shape[1], device=device), dim=-1)
    head = text_head(model, texts)
    predicted = head(features).argmax(1).cpu()
    true = {1: predicted, 3: (predicted + 1) % _CLASSES}
    method, turn = Method.of(IndexConfig(photos="")), cycle(images)
    ways = {_ALONE: Way(lambda: encode_images(model, images), sizes.batch)}
    for targets in _TARGETS:

        def ours(targets: int = targets) -> object:
            return explain(model, images, head, true[targets], method)

        def theirs(targets: int = targets) -> object:
            return published.relevance(model, next(turn), texts[:targets])

        ways[_mapcap(targets)] = Way(ours, sizes.batch)
        ways[_published(targets)] = Way(theirs)
    seconds = in_turn(ways, sizes.repeats, device)
    for way in ways:
        yield Figure("pass", f"{name}, {way}, a photo", median(seconds[way]), SECONDS)
    for targets in _TARGETS:
        ours_, theirs_ = _mapcap(targets), _published(targets)
        for what, value in (
            (f"{ours_} / {_ALONE}", ratio(seconds, ours_, _ALONE)),
            (f"{theirs_} / {ours_}", ratio(seconds, theirs_, ours_)),
        ):
            yield Figure("pass", f"{name}, {what}", value, TIMES)


def _mapcap(targets: int) -> str:
    return f"the pass, {targets} target{'s' if targets > 1 else ''}"


def _published(targets: int) -> str:
    return f"published relevance, {targets} target{'s' if targets > 1 else ''}"


def _size(model: Any) -> tuple[int, int]:
    size = model.visual.image_size
    return (size, size) if isinstance(size, int) else (size[0], size[1])
