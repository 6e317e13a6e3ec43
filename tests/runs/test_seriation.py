"""The order of a confusion matrix."""

import itertools

import numpy as np

from mapcap.runs.seriation import seriate


def test_a_chain_is_found_again_whatever_order_it_comes_in() -> None:
    n = 9
    chain = np.diag(np.arange(2.0, n + 1), 1)
    mixed = np.random.default_rng(1).permutation(n)
    order = mixed[seriate(chain[np.ix_(mixed, mixed)])]
    assert order.tolist() in (list(range(n)), list(range(n))[::-1])


def test_groups_stay_together_the_largest_first() -> None:
    likeness = np.zeros((7, 7))
    for group in ([0, 3], [1, 4, 6], [2, 5]):
        for a, b in itertools.pairwise(group):
            likeness[a, b] = 5
    order = seriate(likeness).tolist()
    assert sorted(order[:3]) == [1, 4, 6]
    assert order[1] == 4
    assert {frozenset(order[3:5]), frozenset(order[5:])} == {frozenset([0, 3]), frozenset([2, 5])}


def test_what_is_not_finite_has_an_order_all_the_same() -> None:
    likeness = np.array([[0, np.nan, np.inf], [1, 0, -np.inf], [1e300, 1, 0]])
    assert sorted(seriate(likeness).tolist()) == [0, 1, 2]


def test_there_may_be_nothing_to_order() -> None:
    assert seriate(np.zeros((0, 0))).tolist() == []
    assert seriate(np.zeros((3, 3))).tolist() == [0, 1, 2]
