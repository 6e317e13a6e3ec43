"""The statistics of MapCap: one level of significance, and every test and interval.

Needs numpy alone to be imported: the app asks for `SIGNIFICANT`, and comparing two runs for
McNemar's test, where scipy is not installed. The other tests belong to indexing, which has it.
The interval of a share is `db.stats.wilson`, since the store writes it itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from math import atanh, inf, nextafter, sqrt, tanh
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT: Final = 0.05
"""Highest p, or false discovery rate where many things are tested, of what is called found."""
STRICT: Final = SIGNIFICANT / 5
"""The same of what is looked for at many grains, beside other kinds that have their own level."""
Z: Final = NormalDist().inv_cdf(1 - SIGNIFICANT / 2)
"""1.95996...: half the width of a 95 % interval, in standard errors."""
FEWEST_CLASSES: Final = 8
"""Pairs below which a rank correlation says nothing."""
_EXACT: Final = 10
"""Pairs below which the p of a rank correlation is counted over all orders."""

AT_ONCE: Final = 1_000_000
"""Random numbers drawn at once, so that memory does not grow with what is resampled."""


def _scipy(name: str) -> Any:
    """Return a module of scipy, loaded at the first test that needs it and never by browsing."""
    return import_module(f"scipy.{name}")


def false_discovery(
    p: Sequence[float] | NDArray[Any], *, family: int | None = None
) -> NDArray[np.float64]:
    """Return the q values of p values (n,), after Benjamini & Hochberg 1995.

    `family` is the number of hypotheses where only the n that can be significant are given: the
    others count with p 1.
    """
    # A tail sum may round to a little more than one.
    given = np.asarray(p, np.float64).clip(0, 1)
    tests = len(given) if family is None else family
    order = np.argsort(given)[::-1]
    ranks = np.arange(len(given), 0, -1)
    q = np.empty_like(given)
    q[order] = np.minimum.accumulate(given[order] * tests / ranks).clip(max=1)
    return q


def rank_sum(
    values: NDArray[np.float64], first: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the effect and the two-sided p, by the normal curve, of each column's rank sum.

    The test of Wilcoxon 1945 and of Mann & Whitney 1947. The effect is the share of pairs in which
    the item of the first group has the higher value, ties counting half: 0.5 for no difference.

    Args:
        values: (n, C), C figures of n items.
        first: (n,) which items are the first group; both groups hold some.
    """
    test = _scipy("stats").mannwhitneyu
    result = test(values[first], values[~first], axis=0, method="asymptotic")
    pairs = int(first.sum()) * int((~first).sum())
    return np.asarray(result.statistic) / pairs, np.asarray(result.pvalue)


def binomial(hits: int, of: int, share: float) -> float:
    """Return the p of at least so many hits, where each of `of` trials hits with odds `share`."""
    return float(_scipy("stats").binom.sf(hits - 1, of, share))


def hypergeometric(hits: int, of: int, other_hits: int, of_others: int) -> float:
    """Return the p that a group holds at least so many hits if the hits fell on all alike.

    The exact permutation test of the groups' members, and Fisher's test, one-sided.
    """
    total, marked = of + of_others, hits + other_hits
    return float(_scipy("stats").hypergeom.sf(hits - 1, total, marked, of))


def fisher(hits: int, of: int, other_hits: int, of_others: int) -> float:
    """Return Fisher's exact p, two-sided, that two groups have the same share of hits.

    That is, of all tables with these margins, the probability of those no likelier than this one.
    """
    total, marked = of + of_others, hits + other_hits
    k = np.arange(max(0, of + marked - total), min(of, marked) + 1)
    # By logarithms of factorials: scipy's own takes a millisecond, and every word has its test.
    parts = np.stack([k, marked - k, of - k, total - marked - of + k])
    logs = -_scipy("special").gammaln(parts + 1.0).sum(0)
    odds = np.exp(logs - logs.max())
    # The rounding of logarithms must not make equally likely tables differ.
    rarer = odds <= odds[hits - k[0]] * (1 + 1e-7)
    return float(odds[rarer].sum() / odds.sum())


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
    by_class = {class_id: change(pairs) for class_id, pairs in classes.items()}
    q = false_discovery([result.p for result in by_class.values()])
    return {
        class_id: replace(result, q=float(rate))
        for (class_id, result), rate in zip(by_class.items(), q, strict=True)
    }


def permutations(first: NDArray[np.bool_], *, seed: int, draws: int) -> NDArray[np.float64]:
    """Return splits of n items into two groups: (draws + 1, n), 1 for the first group.

    The first row is the split given, (n,); the others are random ones of the same sizes.
    """
    n, size = len(first), int(first.sum())
    generator = np.random.default_rng(seed)
    splits = np.zeros((draws + 1, n))
    splits[0, first] = 1
    # Only which items form the first group matters.
    chosen = generator.permuted(np.broadcast_to(np.arange(n), (draws, n)), axis=1)[:, :size]
    np.put_along_axis(splits[1:], chosen, 1, axis=1)
    return splits


def permutation(figures: NDArray[np.float64]) -> float:
    """Return the p of the first of figures, one for each of `permutations`; low is extreme.

    The split at hand counts as one of the draws.
    """
    # The rounding of sums must not make equal splits differ.
    lower = int((figures[1:] <= figures[0] + 1e-12).sum())
    return (1 + lower) / len(figures)


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho over `n` pairs with its 95 % interval and two-sided p."""

    rho: float
    low: float
    high: float
    p: float
    n: int


def spearman(x: NDArray[Any], y: NDArray[Any]) -> Correlation | None:
    """Return the rank correlation of x and y (n,), None where it is not defined.

    It is not where there are fewer than eight pairs, or where one side is the same throughout.
    Below ten pairs p is exact, over all orders of y; from there on it is from Student's t with
    n - 2 degrees of freedom. The interval is Fisher's z with the standard error
    sqrt((1 + rho^2 / 2) / (n - 3)) of Bonett & Wright 2000 (Psychometrika 65, 23-28); of a link
    that was chosen among others for its strength it is too far from 0.
    """
    n = len(x)
    if n < FEWEST_CLASSES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    result = _scipy("stats").spearmanr(x, y)
    rho = float(result.statistic)
    # Fisher's z of a perfect order is infinite; so close to it the interval ends at 1 anyhow.
    z = atanh(max(nextafter(-1.0, inf), min(rho, nextafter(1.0, -inf))))
    half = Z * sqrt((1 + rho**2 / 2) / (n - 3))
    p = _exact_p(x, y) if n < _EXACT else float(result.pvalue)
    return Correlation(rho, tanh(z - half), tanh(z + half), p, n)


def _exact_p(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the share of all orders of y (n,) whose rank correlation with x is as far from 0."""
    ranks = [_scipy("stats").rankdata(side) - (len(x) + 1) / 2 for side in (x, y)]
    products = ranks[1][_orders(len(x))] @ ranks[0]
    # The rounding of sums must not make equal orders differ.
    far = np.abs(products) >= abs(float(ranks[0] @ ranks[1])) - 1e-9
    return float(far.mean())


@cache
def _orders(n: int) -> NDArray[np.int8]:
    """Return all orders of n items: (n!, n)."""
    orders = np.zeros((1, 0), np.int8)
    for size in range(n):
        # The next item goes to every place of every order of those before.
        placed = [np.insert(orders, place, size, axis=1) for place in range(size + 1)]
        orders = np.concatenate(placed).astype(np.int8)
    return orders
