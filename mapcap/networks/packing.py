"""Many sentences in one row of tokens: shared beginnings once, so that a network reads less.

The sentences that may follow a context form a tree of tokens. A row holds the tree's inner nodes
after a root, the context's last token; each node sees the context and its own ancestors only. So
no beginning is read twice, the context's cache serves the whole row without being copied, and the
last token of a sentence, which predicts nothing, is not read at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROOT = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A row of T nodes for some of the sentences; node 0 is the root.

    An edge (node, token) is one prediction: `token` follows `node`. A sentence is a path of edges.
    """

    sentences: NDArray[np.int64]
    """(n,) indices of the block's sentences."""
    tokens: NDArray[np.int64]
    """(T,) token of each node; the root's is 0 and to be filled in."""
    depths: NDArray[np.int64]
    """(T,) distance from the root."""
    visible: NDArray[np.bool_]
    """(T, T) whether node [row] sees node [column]: its ancestors and itself."""
    edges: NDArray[np.int64]
    """(2, E) node and following token of each prediction."""
    paths: NDArray[np.int64]
    """(sum of lengths,) edges of all the block's sentences, one after the other."""
    starts: NDArray[np.int64]
    """(n,) where each sentence begins in `paths`."""

    def totals(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sum the scores of the edges (B, E) over each sentence's path: (B, n)."""
        along: NDArray[np.float64] = scores.astype(np.float64)[:, self.paths]
        return np.add.reduceat(along, self.starts, axis=1)

    def most_crowded(self) -> int:
        """Return the place of the sentence with most strangers' nodes before its last node."""
        last_edges = self.paths[np.append(self.starts[1:], len(self.paths)) - 1]
        last_nodes = self.edges[0, last_edges]
        return int(np.argmax(last_nodes - self.depths[last_nodes]))


def pack(token_ids: Sequence[Sequence[int]], max_nodes: int) -> list[Block]:
    """Arrange sentences in rows of at most `max_nodes` nodes; a longer sentence has its own row.

    Args:
        token_ids: the tokens of each sentence, at least one.
        max_nodes: length of a row. Attention grows with its square, the sharing with its size.

    Raises:
        ValueError: if a sentence has no tokens.
    """
    if not all(token_ids):
        raise ValueError("a sentence without tokens cannot be scored")
    # Sorted by tokens, sentences with the same beginning stand side by side.
    order = sorted(range(len(token_ids)), key=lambda index: list(token_ids[index]))
    blocks: list[Block] = []
    tree = _Tree()
    for index in order:
        if tree.sentences and tree.size_with(token_ids[index]) > max_nodes:
            blocks.append(tree.block())
            tree = _Tree()
        tree.add(index, token_ids[index])
    if tree.sentences:
        blocks.append(tree.block())
    return blocks


class _Tree:
    """The nodes of one block while it grows."""

    def __init__(self) -> None:
        self.tokens, self.parents, self.depths = [0], [ROOT], [0]
        self.children: dict[tuple[int, int], int] = {}
        self.edges: dict[tuple[int, int], int] = {}
        self.sentences: list[int] = []
        self.paths: list[list[int]] = []

    def size_with(self, tokens: Sequence[int]) -> int:
        """Return the number of nodes after adding a sentence."""
        node, shared = ROOT, 0
        for token in tokens[:-1]:
            child = self.children.get((node, token))
            if child is None:
                break
            node, shared = child, shared + 1
        return len(self.tokens) + len(tokens) - 1 - shared

    def add(self, index: int, tokens: Sequence[int]) -> None:
        """Add a sentence: an edge for each token, a node for each but the last."""
        node, path = ROOT, []
        for place, token in enumerate(tokens):
            step = (node, token)
            path.append(self.edges.setdefault(step, len(self.edges)))
            if place < len(tokens) - 1:
                if step not in self.children:
                    self.children[step] = len(self.tokens)
                    self.tokens.append(token)
                    self.parents.append(node)
                    self.depths.append(place + 1)
                node = self.children[step]
        self.sentences.append(index)
        self.paths.append(path)

    def block(self) -> Block:
        """Return the finished row as arrays."""
        visible = np.eye(len(self.tokens), dtype=bool)
        for node, parent in enumerate(self.parents):
            visible[node] |= visible[parent]  # parents come before their children
        lengths = [len(path) for path in self.paths]
        return Block(
            sentences=np.array(self.sentences),
            tokens=np.array(self.tokens),
            depths=np.array(self.depths),
            visible=visible,
            edges=np.array(list(self.edges)).T,
            paths=np.concatenate([np.array(path) for path in self.paths]),
            starts=np.cumsum([0, *lengths[:-1]]),
        )
