"""Nearest images against brute force, and the two witnesses of a wrong label."""

import numpy as np
import pytest

from mapcap.audit.labels import nearest, neighbour_count, suspects


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_neighbours_are_those_of_the_whole_matrix(chunk: int) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = rng.permutation(100)[:40].astype(np.int64)
    found = nearest(vectors[:9], ids[:9], vectors, ids, 4, chunk=chunk)
    cosines = vectors[:9].astype(np.float32) @ vectors.T.astype(np.float32)
    cosines[np.arange(9), np.arange(9)] = -np.inf  # an image is not its own neighbour
    assert np.array_equal(found, np.argsort(-cosines, axis=1)[:, :4])


def test_fewer_references_than_neighbours() -> None:
    vectors = np.eye(3)
    ids = np.arange(3)
    assert nearest(vectors, ids, vectors, ids, 10).shape == (3, 2)
    assert nearest(vectors[:1], ids[:1], vectors[:1], ids[:1], 10).shape == (1, 0)


def test_an_image_outside_the_sample_keeps_all_neighbours() -> None:
    vectors = np.eye(3)
    found = nearest(vectors[:1], np.array([9]), vectors, np.arange(3), 2)
    assert found[0, 0] == 0


def test_how_many_neighbours_vote() -> None:
    assert neighbour_count(np.array([100, 100, 4])) == 10
    assert neighbour_count(np.array([20, 20])) == 5
    assert neighbour_count(np.array([2])) == 3
    assert neighbour_count(np.empty(0, np.int64)) == 3


def test_both_witnesses_must_agree() -> None:
    """Class 1; only the first image is taken for 2 with confidence and neighbours that agree."""
    predicted = np.array([2, 2, 2, 2, 1])
    confidence = np.array([0.9, 0.5, 0.9, 0.9, 0.9])
    neighbours = np.array([[2, 2, 2, 1], [2, 2, 2, 2], [2, 2, 1, 1], [3, 3, 3, 2], [2, 2, 2, 2]])
    found = suspects(1, predicted, confidence, neighbours, {1: 0.5, 2: 0.8}, {})
    assert found.index.tolist() == [0] and found.said.tolist() == [2]
    assert found.votes.tolist() == [0.75] and found.confidence.tolist() == [0.9]


def test_the_most_doubtful_comes_first_and_no_neighbours_no_doubt() -> None:
    predicted, confidence = np.array([2, 2]), np.array([0.8, 0.95])
    found = suspects(1, predicted, confidence, np.full((2, 3), 2), {2: 0.5}, {})
    assert found.index.tolist() == [1, 0]
    assert not suspects(1, predicted, confidence, np.empty((2, 0), int), {2: 0.5}, {}).index.size


def test_a_model_that_mixes_two_classes_up_is_no_witness() -> None:
    predicted, confidence = np.array([2, 3]), np.array([0.9, 0.9])
    neighbours = np.array([[2, 2, 2], [3, 3, 3]])
    expected = {2: 0.5, 3: 0.5}
    found = suspects(1, predicted, confidence, neighbours, expected, {2: 0.21, 3: 0.2})
    assert found.index.tolist() == [1]
