"""What most pictures of a class share, and a model may rest on, is told in like words."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.cost import beyond
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.kind import chance, percent
from mapcap.audit.material import Material, places
from mapcap.stats import SIGNIFICANT, fisher


class Shared(Protocol):
    """Something that many pictures of a class have, and fewer of other classes."""

    @property
    def having(self) -> NDArray[np.bool_]:
        """(n,)"""

    @property
    def share(self) -> float:
        """Share of the class's images."""

    @property
    def share_elsewhere(self) -> float:
        """Share of the other images."""

    @property
    def excess(self) -> float:
        """How much larger the class's share is."""

    @property
    def p(self) -> float:
        """Of a difference as large."""


def pronounced(shared: Shared, least_excess: float) -> bool:
    """Tell whether it is significant, and so much more frequent than elsewhere."""
    return shared.p <= SIGNIFICANT and shared.excess >= least_excess


def finding_of(
    kind: str,
    material: Material,
    shared: Shared,
    title: str,
    figures: Mapping[str, Any],
    subject: str,
) -> Finding:
    """Return the finding of what images share; its shares, p and accuracies are added.

    It is a note where the images that have it are misclassified no more often than the others.
    """
    images, having = material.images, shared.having
    evidence = places(having, images.margins)
    whole = {
        **figures,
        "images": int(having.sum()),
        "share": shared.share,
        "share_elsewhere": shared.share_elsewhere,
        "p": shared.p,
        **_with_and_without(images.correct, having, labelled=material.labelled),
    }
    return Finding(
        kind,
        title,
        beyond(having, ~images.correct),
        whole,
        images.ids[evidence].tolist()[:MOST_EVIDENCE],
        (),
        frozenset(np.flatnonzero(having & ~images.correct).tolist()),
        subject,
    )


def _with_and_without(
    correct: NDArray[np.bool_], having: NDArray[np.bool_], *, labelled: bool
) -> dict[str, float | None]:
    """Return the accuracy among images that have something and among the others; if it is known."""
    if not labelled:
        return dict.fromkeys(("accuracy_with", "accuracy_without", "accuracy_p"))
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
    return f", {there:.0%} correct with it and {absent:.0%} without"


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
        lines.append(f"{percent(there)} correct with it, {percent(absent)} without ({chance(p)}).")
    return lines
