"""Greedy selection against a slow plain loop, and the words of a class."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mapcap.summaries.selection import (
    NEAR,
    Selected,
    near_copies,
    relevances,
    select,
    select_shared,
)
from mapcap.summaries.words import words
from mapcap.texts.wording import content_words, without_name

MATRICES = st.integers(0, 8).flatmap(
    lambda n: arrays(np.float32, (n, n), elements=st.floats(-20, 20, width=32))
)
LAMBDAS = st.sampled_from([0.0, 0.25, 1.0, 3.0])


def plain_select(
    matrix: np.ndarray, counts: list[int], k: int, redundancy: float
) -> list[tuple[int, float, float, float]]:
    """Return the selection by loops, straight from the formula."""
    n = len(matrix)
    weight = [
        [0.0 if i == j or matrix[i][j] < 0 else float(matrix[i][j]) for j in range(n)]
        for i in range(n)
    ]
    relevance = [sum(counts[j] * weight[i][j] for j in range(n)) for i in range(n)]
    penalty = [0.0] * n
    chosen: list[tuple[int, float, float, float]] = []
    while len(chosen) < min(k, n):
        best, best_score = -1, 0.0
        for i in range(n):
            score = relevance[i] - redundancy * penalty[i]
            if i not in [c[0] for c in chosen] and (best < 0 or score > best_score):
                best, best_score = i, score
        chosen.append((best, relevance[best], penalty[best], best_score))
        for i in range(n):
            penalty[i] += weight[i][best]
    return chosen


@settings(deadline=None)
@given(
    matrix=st.integers(0, 7).flatmap(
        # Whole numbers: sums are exact, so ties are ties in both computations.
        lambda n: arrays(np.float32, (n, n), elements=st.integers(-3, 6).map(float))
    ),
    k=st.integers(1, 10),
    redundancy=LAMBDAS,
    data=st.data(),
)
def test_equals_the_plain_loop(
    matrix: np.ndarray, k: int, redundancy: float, data: st.DataObject
) -> None:
    n = len(matrix)
    counts = data.draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
    found = [
        (s.index, s.relevance, s.penalty, s.score) for s in select(matrix, counts, k, redundancy)
    ]
    assert found == plain_select(matrix, counts, k, redundancy)


@settings(deadline=None)
@given(matrix=MATRICES, k=st.integers(1, 10), redundancy=LAMBDAS)
def test_invariants(matrix: np.ndarray, k: int, redundancy: float) -> None:
    before = matrix.copy()
    chosen = select(matrix, None, k, redundancy)
    np.testing.assert_array_equal(matrix, before)
    assert len(chosen) == min(k, len(matrix))
    assert len({s.index for s in chosen}) == len(chosen)
    assert select(matrix, None, k + 1, redundancy)[:k] == chosen
    for s in chosen:
        assert s.score == pytest.approx(s.relevance - redundancy * s.penalty)
        assert s.relevance >= 0 <= s.penalty
    by_relevance = [s.relevance for s in select(matrix, None, k, 0.0)]
    assert by_relevance == sorted(by_relevance, reverse=True)
    np.testing.assert_array_equal(relevances(matrix)[[s.index for s in chosen]],
                                  [s.relevance for s in chosen])  # fmt: skip


def test_a_worked_example() -> None:
    # 0 and 1 say the same; 2 is weaker but new.
    matrix = np.array([[9, 4, 1], [4, 9, 0.5], [1, 0.5, 9]])
    assert select(matrix, k=2) == [Selected(0, 5.0, 0.0, 5.0), Selected(1, 4.5, 4.0, 0.5)]
    assert [s.index for s in select(matrix, k=3, redundancy=2.0)] == [0, 2, 1]
    assert [s.index for s in select(matrix, counts=[1, 1, 20], k=1)] == [0]
    assert relevances(matrix, [1, 1, 20]).tolist() == [24.0, 14.0, 1.5]


def test_ties_go_to_the_smallest_index() -> None:
    assert [s.index for s in select(np.ones((4, 4)), k=4)] == [0, 1, 2, 3]
    assert [s.index for s in select(-np.ones((3, 3)), k=9)] == [0, 1, 2]


def test_a_float16_matrix_does_not_overflow() -> None:
    matrix = np.full((300, 300), 6e4, dtype=np.float16)
    assert select(matrix, k=1)[0].relevance == pytest.approx(299 * 6e4, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"matrix": np.zeros((2, 3))}, "square"),
        ({"matrix": np.zeros(4)}, "square"),
        ({"matrix": [[0.0, np.nan], [0.0, 0.0]]}, "not finite"),
        ({"matrix": [[0.0, -np.inf], [0.0, 0.0]]}, "not finite"),
        ({"matrix": np.zeros((2, 2)), "counts": [1]}, "counts"),
        ({"matrix": np.zeros((2, 2)), "counts": [1, -1]}, "counts"),
        ({"matrix": np.zeros((2, 2)), "counts": [1, np.nan]}, "counts"),
        ({"matrix": np.zeros((2, 2)), "k": 0}, "k is at least 1"),
        ({"matrix": np.zeros((2, 2)), "redundancy": -0.1}, "redundancy"),
        ({"matrix": np.zeros((2, 2)), "redundancy": float("nan")}, "redundancy"),
    ],
)
def test_wrong_input_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select(**options)  # type: ignore[arg-type]


# --- what many photos share


def plain_shared(
    matrix: np.ndarray, counts: list[int], copies: list[int], k: int, redundancy: float
) -> list[tuple[int, float, float]]:
    """Return index, relevance and penalty by loops, straight from the words."""
    n = len(matrix)
    weight = [
        [0.0 if i == j or matrix[i][j] < 0 else float(matrix[i][j]) for j in range(n)]
        for i in range(n)
    ]
    total = sum(counts) or 1
    relevance = [sum(counts[j] * weight[i][j] for j in range(n)) / total for i in range(n)]
    stands = {i: sum(counts[j] for j in range(n) if copies[j] == i) for i in range(n)}
    chosen: list[tuple[int, float, float]] = []
    while len(chosen) < k:
        taken = [c[0] for c in chosen]
        left = [i for i in range(n) if copies[i] == i and stands[i] and i not in taken]
        left = [i for i in left if stands[i] >= 2] or left
        if not left:
            break
        penalty = [sum(weight[i][j] for j in taken) / max(1, len(taken)) for i in range(n)]
        best = max(left, key=lambda i: (relevance[i] - redundancy * penalty[i], -i))
        chosen.append((best, relevance[best], penalty[best]))
    return chosen


@settings(deadline=None)
@given(
    matrix=st.integers(0, 7).flatmap(
        lambda n: arrays(np.float32, (n, n), elements=st.integers(-3, 6).map(float))
    ),
    k=st.integers(1, 10),
    redundancy=st.sampled_from([0.0, 0.5, 1.0]),
    data=st.data(),
)
def test_shared_equals_the_plain_loop(
    matrix: np.ndarray, k: int, redundancy: float, data: st.DataObject
) -> None:
    n = len(matrix)
    counts = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    stand = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    owners = [i for i in range(n) if stand[i]]
    pick = st.sampled_from(owners) if owners else st.nothing()
    copies = [i if stand[i] or not owners else data.draw(pick) for i in range(n)]
    found = select_shared(matrix, counts, copies, k, redundancy)
    expected = plain_shared(matrix, counts, copies, k, redundancy)
    # Means round: a tie of one computation need be none of the other.
    if len({round(e[1] - redundancy * e[2], 6) for e in expected}) == len(expected):
        for one, (index, relevance, penalty) in zip(found, expected, strict=True):
            score = relevance - redundancy * penalty
            assert one.score == pytest.approx(score) and one.relevance >= 0
            if one.index == index:
                assert one.relevance == pytest.approx(relevance)
    assert select_shared(matrix, counts, copies, k + 1, redundancy)[:k] == found
    for one in found:
        assert one.members and all(copies[row] == one.index and counts[row] for row in one.members)


def test_lambda_weighs_the_same_however_many_captions_there_are() -> None:
    small = np.array([[0, 4, 1], [4, 0, 0.5], [1, 0.5, 0]])
    large = np.kron(small, np.ones((40, 40)))  # each caption 40 times, under other words
    for redundancy in (0.0, 0.3, 0.7, 1.0):
        few = select_shared(small, [2] * 3, range(3), 3, redundancy)
        many = select_shared(large, [2] * 120, np.arange(120) // 40 * 40, 3, redundancy)
        assert [one.index * 40 for one in few] == [one.index for one in many]


def test_a_lone_caption_comes_last() -> None:
    matrix = [[0, 9, 9], [1, 0, 1], [1, 1, 0]]
    assert [one.index for one in select_shared(matrix, [1, 2, 3], range(3), 3)] == [1, 2, 0]
    assert [one.index for one in select_shared(matrix, [1, 1, 1], range(3), 1)] == [0]


def test_near_copies_join_the_most_frequent() -> None:
    texts = ["a brown dog.", "a brown and white dog.", "a red bus.", "the dog is brown.", "a bus."]
    assert near_copies(texts, [1, 5, 2, 1, 9]).tolist() == [1, 1, 2, 1, 4]
    assert near_copies(["of the", "of it"], [1, 1]).tolist() == [0, 1]  # no words to compare
    assert near_copies([], []).tolist() == []


@given(st.lists(st.lists(st.sampled_from("red blue dog bus sky".split()), max_size=4), max_size=8))
def test_near_copies_are_near(words_of: list[list[str]]) -> None:
    texts = [" ".join(words) for words in words_of]
    counts = [len(words) for words in words_of]
    copies = near_copies(texts, counts)
    for place, owner in enumerate(copies):
        assert copies[owner] == owner and counts[owner] >= counts[place]
        if owner != place:
            a, b = ({w for w in content_words(texts[i]) if w} for i in (place, owner))
            assert len(a & b) >= NEAR * len(a | b) > 0


@pytest.mark.parametrize("copies", [[0], [[0, 1]]])
def test_copies_that_do_not_fit_are_refused(copies: list[int]) -> None:
    with pytest.raises(ValueError, match="copies"):
        select_shared(np.zeros((2, 2)), [1, 1], copies)


def test_words_are_weighted_by_count_and_relevance() -> None:
    texts = ["A brown dog on the grass.", "the dog's brown ball", "a potter's wheel, and a 7 x"]
    found = words(texts, [2.0, 1.0, 0.5], [1, 4, 2])
    assert found[0] == ("brown", 1.0, 5)
    scores = {word: (score, count) for word, score, count in found}
    assert scores["dog"] == pytest.approx((2 / 6, 1))
    assert scores["dog's"] == scores["ball"] == pytest.approx((4 / 6, 4))
    assert scores["potter's"] == pytest.approx((1 / 6, 2))
    assert not {"a", "the", "on", "and", "x", "7"} & scores.keys()
    assert [w[0] for w in words(texts, [2.0, 1.0, 0.5], [1, 4, 2], top=2)] == ["brown", "ball"]


def test_a_word_twice_in_a_caption_counts_once() -> None:
    assert words(["red and red"], [3.0], [2]) == [("red", 1.0, 2)]


def test_words_without_relevance_or_captions() -> None:
    assert words(["red ball", "red"], [0.0, 0.0], [1, 1]) == [("red", 0.0, 2), ("ball", 0.0, 1)]
    assert words([], [], []) == []
    with pytest.raises(ValueError, match="longer"):
        words(["red"], [1.0, 2.0], [1, 1])


def test_selecting_needs_no_torch() -> None:
    modules = "mapcap.summaries.selection, mapcap.summaries.stored"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("two black cats and a dog.", "Egyptian cat", "two black and a dog."),
        ("a lion's mane.", "lion", "a lion's mane."),
        ("some Lemons in a glass", "lemon", "some in a glass"),
        ("glass", "glasses", "glass"),
    ],
)
def test_a_text_without_its_class(text: str, name: str, wanted: str) -> None:
    assert without_name(text, name) == wanted
