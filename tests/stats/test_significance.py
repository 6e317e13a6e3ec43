"""Tests of shares and false discovery rates, against enumeration and scipy."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mapcap.stats import (
    binomial,
    change,
    changes,
    false_discovery,
    fisher,
    hypergeometric,
    mcnemar,
    permutation,
    permutations,
    rank_sum,
)

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(PROBABILITIES)
def test_q_is_scipys(p: list[float]) -> None:
    assert np.allclose(false_discovery(p), stats.false_discovery_control(p))


def test_q_by_hand() -> None:
    """Sorted: .01 x 4/1, .02 x 4/2, .03 x 4/3, .5 x 4/4; the least from the right counts."""
    assert false_discovery([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.04, 0.04])
    assert not false_discovery([]).size


def test_the_exact_permutation_test_enumerates_all_groups() -> None:
    """Of 7 images 4 are wrong; a slice of 3 holds 3 of them: 4 of the 35 choices hold as many."""
    wrong = [True] * 4 + [False] * 3
    choices = [sum(wrong[i] for i in chosen) for chosen in combinations(range(7), 3)]
    expected = sum(count >= 3 for count in choices) / len(choices)
    assert expected == 4 / 35
    assert hypergeometric(3, 3, 1, 4) == pytest.approx(expected)


def test_shares_that_differ_against_fishers_tea() -> None:
    """Fisher's lady: 3 of 4 against 1 of 4 is p = 0.486."""
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)


@given(*(st.integers(0, 30) for _ in range(4)))
def test_fisher_is_scipys(hits: int, misses: int, other_hits: int, other_misses: int) -> None:
    expected = stats.fisher_exact(np.array([[hits, misses], [other_hits, other_misses]])).pvalue
    assert fisher(hits, hits + misses, other_hits, other_hits + other_misses) == pytest.approx(
        expected
    )


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sign_test(gained: int, lost: int) -> None:
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1
    assert mcnemar(gained, lost) == pytest.approx(expected)


def test_mcnemar_of_a_million_changes() -> None:
    expected = stats.binomtest(500_000, 1_001_500).pvalue
    assert mcnemar(500_000, 501_500) == pytest.approx(expected, rel=1e-4)


def test_a_change_by_hand() -> None:
    """Six gained and none lost is p = 2 / 64; a class without change has p 1."""
    better = [(False, True)] * 6 + [(True, True)] * 3 + [(False, False)]
    found = change(better)
    assert (found.images, found.before, found.now) == (10, 3, 9)
    assert (found.gained, found.lost) == (6, 0)
    assert found.p == pytest.approx(2 / 64)
    by_class = changes({1: better, 2: [(True, True)] * 4})
    assert by_class[1].q == pytest.approx(4 / 64) and not by_class[1].sure
    assert by_class[2].p == by_class[2].q == 1


def test_binomial_is_scipys() -> None:
    assert binomial(4, 9, 1 / 3) == pytest.approx(
        stats.binomtest(4, 9, 1 / 3, alternative="greater").pvalue
    )


def test_permutations_keep_sizes_and_begin_with_the_split_at_hand() -> None:
    first = np.array([True, False, True, False, False])
    splits = permutations(first, seed=3, draws=50)
    assert splits.shape == (51, 5) and splits[0].tolist() == first.tolist()
    assert (splits.sum(1) == 2).all()
    assert len({tuple(row) for row in splits.tolist()}) > 5


def test_the_split_at_hand_counts_as_a_draw() -> None:
    assert permutation(np.array([0.5, 0.4, 0.5, 0.6])) == pytest.approx(3 / 4)
    assert permutation(np.array([0.1, 0.4, 0.5, 0.6])) == pytest.approx(1 / 4)


def test_the_rank_sum_by_hand_and_as_scipy() -> None:
    values = np.array([[1.0, 5], [2, 5], [3, 5], [4, 5]])
    effect, p = rank_sum(values, np.array([False, False, True, True]))
    assert effect.tolist() == [1.0, 0.5], "every pair, and ties that count half"
    expected = stats.mannwhitneyu([3, 4], [1, 2], method="asymptotic")
    assert p[0] == pytest.approx(expected.pvalue)
