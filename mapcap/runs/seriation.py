"""An order in which things that are alike stand side by side."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST: Final = 1e9


def seriate(likeness: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return an order (n,) of n things with a likeness (n, n) of at least 0, made symmetric here.

    Things that are linked at all stay together, the largest group first; within a group the order
    is that of the Fiedler vector, which minimises the squared distances of what is alike (Atkins,
    Boman & Hendrickson 1998).
    """
    # A damaged file may count anything, and no eigenvector comes of what is not finite.
    both = np.nan_to_num(np.asarray(likeness, np.float64), posinf=_MOST).clip(0, _MOST)
    both = both + both.T
    np.fill_diagonal(both, 0)
    order: list[int] = []
    for group in sorted(_groups(both), key=len, reverse=True):
        part = both[np.ix_(group, group)]
        laplacian = np.diag(part.sum(axis=1)) - part
        # The second smallest eigenvector; its sign is arbitrary: the first thing comes first.
        vector = np.linalg.eigh(laplacian)[1][:, min(1, len(group) - 1)]
        if vector[0] > vector[-1]:
            vector = -vector
        order += [group[i] for i in np.argsort(vector, kind="stable")]
    return np.array(order, np.int64)


def _groups(both: NDArray[np.float64]) -> list[list[int]]:
    """Return the things that are linked, directly or by others, group by group."""
    left, groups = set(range(len(both))), []
    while left:
        group, waiting = [], [min(left)]
        left.discard(waiting[0])
        while waiting:
            item = waiting.pop()
            group.append(item)
            linked = [int(i) for i in np.flatnonzero(both[item]) if int(i) in left]
            left.difference_update(linked)
            waiting += linked
        groups.append(sorted(group))
    return groups
