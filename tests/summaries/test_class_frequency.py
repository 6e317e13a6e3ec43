"""The weight of a sentence that many classes share."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mapcap.summaries.selection import class_weights, select

MATRICES = st.integers(1, 6).flatmap(
    lambda n: arrays(np.float64, (n, n), elements=st.floats(-5, 20, width=32))
)


def test_one_class_weighs_one_and_all_weigh_nothing() -> None:
    weights = class_weights([1, 4, 25], 25)
    assert weights[0] == 1.0
    assert weights[2] == 0.0
    assert weights[1] == pytest.approx(math.log(26 / 5) / math.log(26 / 2))


@given(st.integers(2, 1000))
def test_more_classes_weigh_less(total: int) -> None:
    weights = class_weights(range(1, total + 1), total)
    assert (np.diff(weights) < 0).all()


def test_a_run_of_one_class_has_no_weights() -> None:
    assert class_weights([1, 1], 1).tolist() == [1.0, 1.0]
    # A count that a damaged file may hold.
    assert class_weights([0, 7], 2).tolist() == [1.0, 0.0]


@given(MATRICES, st.floats(0, 3))
def test_weights_of_one_change_nothing(matrix: np.ndarray, redundancy: float) -> None:
    n = len(matrix)
    assert select(matrix, None, n, redundancy, np.ones(n)) == select(matrix, None, n, redundancy)


@given(MATRICES, st.data())
def test_a_lower_weight_never_brings_a_sentence_forward(
    matrix: np.ndarray, data: st.DataObject
) -> None:
    n = len(matrix)
    place = data.draw(st.integers(0, n - 1))
    weights = np.ones(n)
    weights[place] = data.draw(st.floats(0, 1))
    before = [one.index for one in select(matrix, None, n, 0.0)].index(place)
    after = [one.index for one in select(matrix, None, n, 0.0, weights)].index(place)
    # Ties go to the smaller index in both.
    assert after >= before


def test_relevance_is_weighted_and_the_penalty_is_not() -> None:
    matrix = [[0, 4, 4], [3, 0, 3], [1, 2, 0]]
    first, second, _ = select(matrix, None, 3, 1.0, [0.5, 1.0, 1.0])
    assert (first.index, first.relevance, first.penalty) == (1, 6.0, 0.0)
    assert (second.index, second.relevance, second.penalty) == (2, 3.0, 2.0)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, math.nan], [[1.0, 1.0]]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        select(np.zeros((2, 2)), None, 1, 1.0, weights)
