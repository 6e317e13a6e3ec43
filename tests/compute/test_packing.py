"""Packed rows: every sentence is in one, whole, and sees nothing but itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapcap.networks.packing import Block, pack

SENTENCES = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=1, max_size=20, unique_by=tuple
)


def read(block: Block, place: int) -> list[int]:
    """Return the tokens along a sentence's path."""
    ends = [*block.starts[1:], len(block.paths)]
    return block.edges[1, block.paths[block.starts[place] : ends[place]]].tolist()


@settings(deadline=None)
@given(sentences=SENTENCES, row=st.integers(1, 30))
def test_every_sentence_is_held_once(sentences: list[list[int]], row: int) -> None:
    found = {}
    for block in pack(sentences, row):
        assert len(block.tokens) <= row or len(block.sentences) == 1
        for place, index in enumerate(block.sentences):
            assert index not in found
            found[int(index)] = read(block, place)
    assert found == dict(enumerate(sentences))


@settings(deadline=None)
@given(sentences=SENTENCES, row=st.integers(1, 30))
def test_a_node_sees_the_beginning_of_its_sentence(sentences: list[list[int]], row: int) -> None:
    for block in pack(sentences, row):
        for place, index in enumerate(block.sentences):
            start = block.starts[place]
            for depth in range(len(sentences[index])):
                node = block.edges[0, block.paths[start + depth]]
                seen = np.flatnonzero(block.visible[node])
                assert block.depths[seen].tolist() == list(range(depth + 1))
                assert block.tokens[seen[1:]].tolist() == sentences[index][:depth]


def test_beginnings_are_shared_and_last_tokens_not_read() -> None:
    (block,) = pack([[1, 2, 3], [1, 2, 4], [1, 2]], 256)
    assert block.tokens.tolist() == [0, 1, 2]
    assert block.edges.shape == (2, 4)


@settings(deadline=None)
@given(sentences=SENTENCES)
def test_totals_sum_along_the_paths(sentences: list[list[int]]) -> None:
    for block in pack(sentences, 12):
        scores = np.random.default_rng(0).normal(size=(2, block.edges.shape[1]))
        totals = block.totals(scores.astype(np.float32))
        by_edge = {
            (int(node), int(token)): scores[:, place].astype(np.float32)
            for place, (node, token) in enumerate(block.edges.T)
        }
        for place in range(len(block.sentences)):
            node, expected = 0, np.zeros(2)
            for token in read(block, place):
                expected = expected + by_edge[node, token]
                after = np.flatnonzero((block.tokens == token) & block.visible[:, node])
                children = [n for n in after if block.depths[n] == block.depths[node] + 1]
                node = int(children[0]) if children else -1
            np.testing.assert_allclose(totals[:, place], expected, rtol=1e-5, atol=1e-5)


def test_the_crowded_sentence_stands_behind_the_others() -> None:
    (block,) = pack([[9], [1, 1, 1], [2, 2, 2], [3, 3, 3, 3]], 256)
    assert block.sentences[block.most_crowded()] == 3


def test_a_sentence_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="without tokens"):
        pack([[1], []], 8)
