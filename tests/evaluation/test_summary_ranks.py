"""Finding a class by a text."""

import numpy as np
import pytest

from mapcap.metrics.retrieval import chance_rank, chance_top, ranks


def test_by_hand() -> None:
    names = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float16)
    texts = np.array([[2.0, 0.0], [0.1, 1.0], [1.0, 0.2]])
    # The first is its own; the second is nearest to name 1 and then 2; the third to 0, 2, 1.
    assert ranks(texts, names, np.array([0, 2, 1])).tolist() == [1, 2, 3]


def test_names_that_are_equally_near_share_their_ranks() -> None:
    names = np.array([[1.0, 0], [1, 0], [0, 1]])
    assert ranks(np.array([[1.0, 0]]), names, np.array([1])).tolist() == [1.5]


def test_texts_that_know_nothing_have_the_level_of_chance() -> None:
    generator = np.random.default_rng(0)
    found = ranks(
        generator.normal(size=(4000, 16)),
        generator.normal(size=(20, 16)),
        generator.integers(0, 20, 4000),
    )
    assert found.mean() == pytest.approx(chance_rank(20), abs=0.4)
    assert (found <= 1).mean() == pytest.approx(chance_top(20, 1), abs=0.02)
    assert (found <= 5).mean() == pytest.approx(chance_top(20, 5), abs=0.03)


def test_few_classes_are_all_among_the_first() -> None:
    assert chance_top(3, 5) == 1.0
