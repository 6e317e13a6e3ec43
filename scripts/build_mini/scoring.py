"""The figures of the model card: plain functions from maps, predictions and captions to numbers."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_BLACK_BACKGROUND = re.compile(
    r"\bblack (background|backdrop|surround\w*)"
    r"|\b(on|against|before|over|in front of|surrounded by|amid) (an? )?"
    r"((plain|even|flat|smooth|soft|solid|dark|pure) )*black( ground| wall| surface)?\s*\.?$"
)


def accuracy_per_class(predicted: NDArray[np.int64], true: NDArray[np.int64]) -> Floats:
    """Share of right predictions in each class 0..K-1 that `true` (N,) knows: (K,)."""
    return np.bincount(true, predicted == true) / np.bincount(true)


def speaks_of_black_background(text: str) -> bool:
    """Whether a caption says so, or ends with black as the only colour of the surroundings."""
    return bool(_BLACK_BACKGROUND.search(text.lower().strip()))


_STOCK = re.compile(
    r"\b(in the distance|far away|all around|surrounded by|in the background|in soft light"
    r"|in bright light|in clear daylight|in hazy light|in hard light)\b"
)


def ends_in_stock(text: str) -> bool:
    """Whether a caption holds one of the endings that are said of anything."""
    return bool(_STOCK.search(text.lower()))


_SMALL_WORDS = frozenset("a an the and or of in on with at to by from its his her is".split())
_NEAR = 3


def stammers(text: str) -> bool:
    """Whether a caption says a word again among the next three: "a blue blue bluebird"."""
    words = re.findall(r"[a-z]+", text.lower())
    return any(
        word not in _SMALL_WORDS and word in words[i + 1 : i + 1 + _NEAR]
        for i, word in enumerate(words)
    )


def area_under_curve(scores: Floats, true: NDArray[np.bool_]) -> float:
    """How often a true case (N,) scores higher than a false one; ties count half."""
    high, low = scores[true][:, None], scores[~true][None]
    return float((high > low).mean() + 0.5 * (high == low).mean())


def says_name(text: str, name: str) -> bool:
    """Whether a caption holds a class name as whole words."""
    return bool(re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", text.lower()))


def share(values: Sequence[bool]) -> float:
    """Share of true values; 0 of none."""
    return sum(values) / len(values) if values else 0.0


def caption_figures(
    texts: Sequence[str],
    names: Sequence[str],
    verdicts: Sequence[bool | None],
    firsts: Sequence[bool | None],
) -> dict[str, float]:
    """Sum up captions: one class name each, and whether its colour is the region's.

    Of the verdicts the first ones accept any colour said, the second ones the first alone, among
    the region's two largest; None where no colour is said.
    """
    judged = [verdict for verdict in verdicts if verdict is not None]
    named = [says_name(text, name) for text, name in zip(texts, names, strict=True)]
    return {
        "captions": len(texts),
        "distinct": len(set(texts)) / len(texts) if texts else 0.0,
        "black background": share([speaks_of_black_background(text) for text in texts]),
        "says a colour": share([verdict is not None for verdict in verdicts]),
        "colour right, of those": share(judged),
        "first colour of the two largest": share([v for v in firsts if v is not None]),
        "stock endings": share([ends_in_stock(text) for text in texts]),
        "stammers": share([stammers(text) for text in texts]),
        "says the class name": share(named),
    }
