"""Two runs on the same images: what got better, and whether it may be chance. Needs no scipy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mapcap.audit.discovery import SIGNIFICANT, false_discovery


@dataclass(frozen=True, slots=True)
class Change:
    """How a class's images fared: `gained` are right only now, `lost` were right only before.

    `p` is McNemar's, exact; `q` its false discovery rate over the classes.
    """

    images: int
    before: int
    now: int
    gained: int
    lost: int
    p: float
    q: float

    @property
    def sure(self) -> bool:
        """Whether the change is more than chance."""
        return self.q <= SIGNIFICANT


def change(pairs: Sequence[tuple[bool, bool]]) -> Change:
    """Return the change over images given as (right before, right now); `q` is `p`."""
    gained = sum(now and not before for before, now in pairs)
    lost = sum(before and not now for before, now in pairs)
    before, now = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    p = mcnemar(gained, lost)
    return Change(len(pairs), before, now, gained, lost, p, p)


def changes(classes: Mapping[int, Sequence[tuple[bool, bool]]]) -> dict[int, Change]:
    """Return the change of each class, by its id, with Benjamini & Hochberg's q over all."""
    found = {class_id: change(pairs) for class_id, pairs in classes.items()}
    q = false_discovery([one.p for one in found.values()])
    return {
        class_id: replace(one, q=float(rate))
        for (class_id, one), rate in zip(found.items(), q, strict=True)
    }


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact p of McNemar's test (1947), two-sided.

    Were gains and losses as likely as each other, their split would be that of a fair coin.
    """
    n = gained + lost
    # log k! for k = 0 to n: exact enough for any n, where factorials would be too large.
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    k = np.arange(min(gained, lost) + 1)
    tail = np.exp(logs[n] - logs[k] - logs[n - k] - n * np.log(2)).sum()
    return float(min(1.0, 2 * tail))
