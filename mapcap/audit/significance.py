"""Exact tests of shares, which several parts of the audit use."""

import numpy as np
from scipy import stats


def more_often(hits: int, of: int, other_hits: int, of_others: int) -> float:
    """Return the p that a group holds so many hits if the hits fell on all alike.

    The exact permutation test of the groups' members, one-sided: Fisher's, a hypergeometric tail.
    """
    total, marked = of + of_others, hits + other_hits
    return float(stats.hypergeom.sf(hits - 1, total, marked, of))


def differs(hits: int, of: int, other_hits: int, of_others: int) -> float:
    """Return Fisher's exact p, two-sided, that two groups have the same share of hits."""
    table = np.array([[hits, of - hits], [other_hits, of_others - other_hits]])
    return float(stats.fisher_exact(table).pvalue)
