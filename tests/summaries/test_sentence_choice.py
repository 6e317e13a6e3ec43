"""The choice of sentences for the matrix when a class has too many."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mapcap.pmi import choose_sentences


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(1, 9), max_size=30),
    most=st.integers(1, 12),
    seed=st.integers(0, 3),
    copies=st.booleans(),
)
def test_distinct_ascending_and_repeatable(
    counts: list[int], most: int, seed: int, copies: bool
) -> None:
    embeddings = np.random.default_rng(1).normal(size=(len(counts), 4))
    if copies:
        embeddings[:] = 1.0
    chosen = choose_sentences(counts, embeddings, most, seed)
    assert len(chosen) == min(len(counts), most)
    assert (np.diff(chosen) > 0).all()
    assert ((chosen >= 0) & (chosen < len(counts))).all()
    assert chosen.tolist() == choose_sentences(counts, embeddings, most, seed).tolist()


def test_the_most_frequent_are_in() -> None:
    counts = [1, 7, 1, 1, 5, 1, 2, 1, 1, 3]
    embeddings = np.random.default_rng(0).normal(size=(10, 3))
    for seed in range(20):
        assert {1, 4, 9} <= set(choose_sentences(counts, embeddings, 6, seed).tolist())


def test_the_rest_is_spread_over_the_clusters() -> None:
    # Four clusters far apart, one of them with nearly all sentences: a plain draw would miss some.
    centres = np.repeat(np.eye(4) * 100, [97, 1, 1, 1], axis=0)
    embeddings = centres + np.random.default_rng(0).normal(scale=0.01, size=(100, 4))
    for seed in range(20):
        chosen = choose_sentences([1] * 100, embeddings, 4, seed)
        assert {97, 98, 99} <= set(chosen.tolist())


def test_seeds_differ() -> None:
    embeddings = np.random.default_rng(0).normal(size=(50, 3))
    assert len({tuple(choose_sentences([1] * 50, embeddings, 5, seed)) for seed in range(8)}) > 1
