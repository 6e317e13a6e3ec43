"""Findings of what most pictures of a class share, and a model may rest on: background, mark."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.backgrounds import Background
from mapcap.audit.findings import MOST_EVIDENCE, Found, Kind
from mapcap.audit.marks import Mark
from mapcap.audit.material import Material, places
from mapcap.stats import SIGNIFICANT, fisher

_LEAST_EXCESS = {"background": 0.3, "mark": 0.4}
"""By how much more of the class's images than of others must have what it is said to have."""


def background(material: Material, seen: Background | None) -> list[Found]:
    """Return what most of the class's backgrounds have and few others, if it is pronounced."""
    if seen is None or seen.p > SIGNIFICANT or seen.excess < _LEAST_EXCESS["background"]:
        return []
    images, n = material.images, int(seen.having.sum())
    title = (
        f"{n} of {len(images)} have a {seen.word} background, {seen.share_elsewhere:.0%} elsewhere "
        f"({seen.deviations:+.1f} sd)"
    )
    figures = {
        "property": seen.quality,
        "word": seen.word,
        "images": n,
        "share": seen.share,
        "share_elsewhere": seen.share_elsewhere,
        "deviations": seen.deviations,
        "threshold": seen.threshold,
        "p": seen.p,
        **_with_and_without(images.correct, seen.having),
    }
    return [_shared("background", material, seen.having, title, seen.share * seen.excess, figures)]


def mark(material: Material, seen: Mark | None) -> list[Found]:
    """Return the small thing at one place of most images of the class, if there is one."""
    if seen is None or seen.p > SIGNIFICANT or seen.excess < _LEAST_EXCESS["mark"]:
        return []
    images, n = material.images, int(seen.having.sum())
    relevance = float(seen.relevance(images.grids)[seen.having].mean())
    title = (
        f"{n} of {len(images)} have the same {seen.colour} mark at the {seen.place}, "
        f"{seen.share_elsewhere:.0%} elsewhere; {relevance:.0%} of the relevance falls on it"
    )
    figures = {
        "colour": seen.colour,
        "place": seen.place,
        "box": list(seen.box),
        "area": seen.area,
        "relevance": relevance,
        "images": n,
        "share": seen.share,
        "share_elsewhere": seen.share_elsewhere,
        "p": seen.p,
        **_with_and_without(images.correct, seen.having),
    }
    return [_shared("mark", material, seen.having, title, seen.share * seen.excess, figures)]


def _shared(
    kind: Kind,
    material: Material,
    having: NDArray[np.bool_],
    title: str,
    score: float,
    figures: Mapping[str, Any],
) -> Found:
    images = material.images
    telling = places(having, images.margins)
    wrong = frozenset(np.flatnonzero(having & ~images.correct).tolist())
    return Found(
        kind, title, score, figures, images.ids[telling].tolist()[:MOST_EVIDENCE], (), wrong
    )


def _with_and_without(
    correct: NDArray[np.bool_], having: NDArray[np.bool_]
) -> dict[str, float | None]:
    """Return the accuracy among images that have something and among the others."""
    there, absent = correct[having], correct[~having]
    p = fisher(int(there.sum()), len(there), int(absent.sum()), len(absent))
    return {
        "accuracy_with": float(there.mean()) if len(there) else None,
        "accuracy_without": float(absent.mean()) if len(absent) else None,
        "accuracy_p": p if len(there) and len(absent) else None,
    }
