"""Words that tell two groups of images apart, and B2T's scores, against plain computations."""

import math
from typing import Any

import numpy as np
import pytest

from mapcap.audit.b2t import clip_scores
from mapcap.audit.words import marking_words, phrases


def test_phrases_are_content_words_and_pairs_that_stand_together() -> None:
    found = phrases(["A brown dog on the grass.", "a Dog"])
    assert found == {"brown", "dog", "grass", "brown dog"}


def images(*groups: tuple[int, str]) -> list[frozenset[str]]:
    return [frozenset(words.split()) for count, words in groups for _ in range(count)]


def test_log_odds_and_z_by_hand() -> None:
    """20 images a side, cat in 15 and 5; of the run's 1,398 images 699 hold it: one half.

    The prior weighs 5 images a side, 2.5 that hold it and 2.5 that lack it.
    """
    first, second = images((15, "cat"), (5, "dog")), images((5, "cat"), (15, "dog"))
    prior = {"cat": 699, "dog": 699}
    tests = {test.word: test for test in marking_words(first, second, prior, 1398)}
    log_odds = math.log(17.5 / 7.5) - math.log(7.5 / 17.5)
    z = log_odds / math.sqrt(2 / 17.5 + 2 / 7.5)
    assert tests["cat"].log_odds == pytest.approx(log_odds)
    assert tests["cat"].z == pytest.approx(z)
    assert tests["dog"].z == pytest.approx(-z)
    # 2 * P(at least 15 of 20 hold it), of the 20 holding among 40: Fisher's, both tails alike.
    p = 2 * sum(math.comb(20, k) * math.comb(20, 20 - k) for k in range(15, 21))
    q = p / math.comb(40, 20)  # two equal p values: Benjamini-Hochberg leaves them
    assert tests["cat"].q == pytest.approx(q)
    assert (tests["cat"].first, tests["cat"].second) == (15, 5)


def plain(
    first: list[frozenset[str]], second: list[frozenset[str]], prior: dict[str, int]
) -> dict[str, Any]:
    """Monroe, Colaresi & Quinn's formulas, word by word."""
    found = {}
    for w in prior:
        delta, variance = 0.0, 0.0
        for group, sign in ((first, 1), (second, -1)):
            y, n = sum(w in image for image in group), len(group)
            share = (prior[w] + 0.5) / 1001
            holds, lacks = y + n / 4 * share, n - y + n / 4 * (1 - share)
            delta += sign * math.log(holds / lacks)
            variance += 1 / holds + 1 / lacks
        found[w] = delta / math.sqrt(variance)
    return found


def test_uneven_groups_against_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    words = ["sky", "grass", "cat", "dog", "red"]

    def draw(count: int, odds: list[float]) -> list[frozenset[str]]:
        return [
            frozenset(w for w, p in zip(words, odds, strict=True) if rng.random() < p)
            for _ in range(count)
        ]

    first, second = draw(60, [0.5, 0.2, 0.9, 0.3, 0.4]), draw(25, [0.5, 0.6, 0.3, 0.3, 0.4])
    prior = {"sky": 900, "grass": 500, "cat": 100, "dog": 300, "red": 50}
    expected = plain(first, second, prior)
    tests = marking_words(first, second, prior, 1000)
    assert {test.word: test.z for test in tests} == pytest.approx(expected)
    for significant in (True, False):
        z = [abs(test.z) for test in tests if (test.q <= 0.05) == significant]
        assert z == sorted(z, reverse=True)
    assert tests[0].word in ("cat", "grass") and tests[0].q < 0.05


def drawn(rng: np.random.Generator, count: int, odds: list[float]) -> list[frozenset[str]]:
    """Images that hold word i with odds i."""
    held = rng.random((count, len(odds))) < odds
    return [frozenset(f"w{i}" for i in np.flatnonzero(row)) for row in held]


def test_a_word_that_differs_is_found() -> None:
    """In 80 % of 40 errors and 20 % of 10 correct ones, among 40 words that do not differ.

    Found in 60 % of trials; by z as a standard normal value, with this prior, in 1 %.
    """
    rng, hits = np.random.default_rng(3), 0
    noise = [0.3] * 40
    prior = {f"w{i}": 10 for i in range(41)}
    for _ in range(100):
        first, second = drawn(rng, 40, [0.8, *noise]), drawn(rng, 10, [0.2, *noise])
        tests = {test.word: test for test in marking_words(first, second, prior, 1000)}
        hits += tests["w0"].q <= 0.05
    assert hits >= 45


def test_correctness_at_random_gives_no_word_in_most_classes() -> None:
    """Words of a class are dealt, and its correctness permuted: at most 5 % have a false word."""
    rng, classes = np.random.default_rng(4), 200
    odds = np.random.default_rng(5).uniform(0.05, 0.9, 25).tolist()
    prior = {f"w{i}": 500 for i in range(25)}
    false = 0
    for _ in range(classes):
        order = rng.permutation(60)
        held = drawn(rng, 60, odds)
        groups = [held[i] for i in order[:25]], [held[i] for i in order[25:]]
        false += any(test.q <= 0.05 for test in marking_words(*groups, prior, 1000))
    assert false <= 0.05 * classes


def test_a_phrase_that_says_no_more_than_its_word_and_a_rare_word_are_not_tested() -> None:
    first = [frozenset({"grey", "cat", "grey cat"})] * 10
    second = [frozenset({"cat"})] * 10 + [frozenset({"unicorn", "cat"})] * 2
    tested = {test.word for test in marking_words(first, second, {"cat": 22}, 99)}
    assert tested == {"grey", "cat"}


def test_a_word_that_all_images_hold_marks_neither_group() -> None:
    """Also where the groups are of unequal size and the run hardly knows the word."""
    prior = {"cat": 100, "dog": 2000}
    (test,) = marking_words(images((90, "cat")), images((10, "cat")), prior, 2500)
    assert test.log_odds == pytest.approx(0)


def test_nothing_to_compare_is_no_word() -> None:
    some = [frozenset({"cat"})] * 5
    assert marking_words(some, [], {"cat": 5}, 5) == []
    assert marking_words([], some, {"cat": 5}, 5) == []
    assert marking_words([frozenset()] * 5, [frozenset()] * 5, {"cat": 5}, 5) == []


def unit(rng: np.random.Generator, count: int, size: int = 8) -> np.ndarray:
    vectors = rng.normal(size=(count, size))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_clip_score_is_the_difference_of_mean_cosines() -> None:
    rng = np.random.default_rng(1)
    words, wrong, right = unit(rng, 3), unit(rng, 12), unit(rng, 30)
    found = clip_scores(words, wrong, right, seed=0)
    for i, word in enumerate(words):
        expected = np.mean([word @ x for x in wrong]) - np.mean([word @ x for x in right])
        assert found.score[i] == pytest.approx(expected)
    assert found.low is not None and found.high is not None
    assert (found.low < found.score).all() and (found.score < found.high).all()
    again = clip_scores(words, wrong, right, seed=0)
    assert again.low is not None and np.array_equal(found.low, again.low)


def test_the_bootstrap_interval_is_that_of_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(2)
    words, wrong, right = unit(rng, 1), unit(rng, 40), unit(rng, 40)
    found = clip_scores(words, wrong, right, seed=0, draws=4000)
    drawn = []
    for _ in range(4000):
        sides = [
            side[rng.integers(len(side), size=len(side))] @ words[0] for side in (wrong, right)
        ]
        drawn.append(sides[0].mean() - sides[1].mean())
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.low is not None and found.high is not None
    assert found.low[0] == pytest.approx(low, abs=0.02)
    assert found.high[0] == pytest.approx(high, abs=0.02)


def test_fewer_than_five_images_on_a_side_have_no_interval() -> None:
    words = np.eye(2)
    found = clip_scores(words, words[:1], words[1:], seed=0)
    assert found.score.tolist() == [1, -1]
    assert found.low is None and found.high is None
