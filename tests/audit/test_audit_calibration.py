"""Calibration and likeness, by hand and by enumeration."""

from itertools import combinations

import numpy as np
import pytest

from mapcap.audit.calibration import (
    calibration_level,
    expected_calibration_error,
    likeness,
    reliability,
)


def test_bins_and_error_by_hand() -> None:
    """Three images of 0.95, two right; one of 0.3, on the edge of its bin, wrong."""
    confidence = np.array([0.95, 0.95, 0.95, 0.3])
    correct = np.array([True, True, False, False])
    bins = reliability(confidence, correct)
    assert [(found.low, found.high, found.images) for found in bins] == [(0.2, 0.3, 1), (0.9, 1, 3)]
    assert [found.accuracy for found in bins] == pytest.approx([0, 2 / 3])
    expected = 1 / 4 * 0.3 + 3 / 4 * abs(2 / 3 - 0.95)
    assert expected_calibration_error(bins) == pytest.approx(expected)


def test_certain_and_impossible_belong_to_the_outer_bins() -> None:
    bins = reliability(np.array([0.0, 1.0]), np.array([False, True]))
    assert [found.low for found in bins] == [0, 0.9]
    assert expected_calibration_error(bins) == 0
    assert expected_calibration_error(reliability(np.empty(0), np.empty(0, bool))) == 0


def test_a_calibrated_model_exceeds_its_level_in_5_percent() -> None:
    """Of 20 images the binned error is 0.2 on average, though nothing is wrong."""
    rng, errors, above = np.random.default_rng(0), [], 0
    for trial in range(300):
        confidence = rng.uniform(0.2, 1, 20)
        error = expected_calibration_error(reliability(confidence, rng.random(20) < confidence))
        errors.append(error)
        above += error > calibration_level(confidence, seed=trial, draws=300)
    assert 0.15 < np.mean(errors) < 0.25
    assert 0.02 <= above / 300 <= 0.09


def test_confidence_that_accuracy_belies_is_above_the_level() -> None:
    confidence = np.full(20, 0.9)
    error = expected_calibration_error(reliability(confidence, np.arange(20) < 8))
    assert error > calibration_level(confidence, seed=0)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_likeness_against_all_splits() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.random((7, 2, 3))
    first = np.array([True, True, True, False, False, False, False])
    vectors[first, 0, 0] += 1
    found = likeness(vectors, first, seed=0, draws=4000)
    flat = vectors.reshape(7, -1)
    assert found is not None
    assert found.cosine == pytest.approx(cosine(flat[first].mean(0), flat[~first].mean(0)))
    splits = []
    for chosen in combinations(range(7), 3):
        inside = np.isin(np.arange(7), chosen)
        splits.append(cosine(flat[inside].mean(0), flat[~inside].mean(0)))
    expected = np.mean([split <= found.cosine + 1e-12 for split in splits])
    assert found.p == pytest.approx(expected, abs=0.02)


def test_equal_vectors_are_alike_by_chance() -> None:
    found = likeness(np.ones((6, 4)), np.array([True] * 3 + [False] * 3), seed=0)
    assert found is not None and found.cosine == pytest.approx(1) and found.p == 1


def test_one_group_alone_or_nothing_is_not_compared() -> None:
    assert likeness(np.ones((3, 2)), np.zeros(3, bool), seed=0) is None
    assert likeness(np.ones((3, 2)), np.ones(3, bool), seed=0) is None
    assert likeness(np.zeros((3, 2)), np.array([True, False, False]), seed=0) is None


def around(rng: np.random.Generator, count: int, shift: float = 0.0) -> np.ndarray:
    """Vectors around one direction, the first axis of which is shifted."""
    centre = np.ones(24)
    centre[0] += shift
    return centre + rng.normal(scale=1.5, size=(count, 24))


def test_the_yardstick_is_how_alike_halves_of_the_second_group_are() -> None:
    """By plain draws; the interval holds the cosine of the centres for alike and unlike groups."""
    rng = np.random.default_rng(1)
    vectors, first = np.concatenate([around(rng, 30), around(rng, 60)]), np.arange(90) < 30
    found = likeness(vectors, first, seed=0)
    assert found is not None and found.half is not None and found.half_low is not None
    halves = []
    for _ in range(2000):
        order = rng.permutation(np.arange(30, 90))
        halves.append(cosine(vectors[order[:30]].mean(0), vectors[order[30:]].mean(0)))
    assert found.half == pytest.approx(np.median(halves), abs=0.01)
    assert found.half_low == pytest.approx(np.quantile(halves, 0.05), abs=0.01)
    assert found.low is not None and found.high is not None
    assert found.low < found.cosine and found.low < found.high <= 1
    assert found.p > 0.05
    apart = np.concatenate([around(rng, 30, shift=9), around(rng, 60)])
    other = likeness(apart, first, seed=0)
    assert other is not None and other.high is not None and other.half_low is not None
    assert other.p < 0.01 and other.high < other.half_low


def test_fewer_than_five_have_neither_interval_nor_yardstick() -> None:
    vectors = np.random.default_rng(2).random((20, 3))
    found = likeness(vectors, np.arange(20) < 4, seed=0)
    assert found is not None
    assert [found.low, found.high, found.half, found.half_low] == [None] * 4
    assert found.p > 0
