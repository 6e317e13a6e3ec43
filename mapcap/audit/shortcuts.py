"""What most pictures of a class share, and a model may rest on, is told in like words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.kind import chance, percent
from mapcap.audit.material import Material, places
from mapcap.stats import SIGNIFICANT, fisher


def shared(
    kind: str,
    material: Material,
    having: NDArray[np.bool_],
    title: str,
    score: float,
    figures: Mapping[str, Any],
) -> list[Finding]:
    """Return the finding of what the images `having` (n,) share; its accuracies are added."""
    images = material.images
    telling = places(having, images.margins)
    wrong = frozenset(np.flatnonzero(having & ~images.correct).tolist())
    evidence = images.ids[telling].tolist()[:MOST_EVIDENCE]
    whole = {**figures, **_with_and_without(images.correct, having)}
    return [Finding(kind, title, score, whole, evidence, (), wrong)]


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


def accuracies(figures: Mapping[str, Any]) -> str:
    """Return the end of a clause: the accuracies, where they differ significantly."""
    p = figures["accuracy_p"]
    if p is None or p > SIGNIFICANT:
        return ""
    there, absent = figures["accuracy_with"], figures["accuracy_without"]
    return f", {there:.0%} right with it and {absent:.0%} without"


def details(finding: Finding) -> list[str]:
    """Return how many share it, and the accuracies, as printed lines."""
    figures = finding.figures
    lines = [
        f"{percent(figures['share'])} of the class, {percent(figures['share_elsewhere'])} of the "
        f"others ({chance(figures['p'])})."
    ]
    p = figures["accuracy_p"]
    if p is not None:
        there, absent = figures["accuracy_with"], figures["accuracy_without"]
        lines.append(f"{percent(there)} right with it, {percent(absent)} without ({chance(p)}).")
        if p > SIGNIFICANT:
            lines.append("So far no error follows from it: it may where it is absent.")
    return lines
