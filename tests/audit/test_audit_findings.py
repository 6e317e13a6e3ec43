"""Findings and lines of a class made by hand, whose every figure can be counted."""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from mapcap.audit.class_audit import audit_class
from mapcap.audit.findings import Finding, discounted, ranked
from mapcap.audit.kinds import KINDS, confusion
from mapcap.audit.kinds.background import background_properties
from mapcap.audit.kinds.label import labels
from mapcap.audit.kinds.slice import Slice, slices
from mapcap.audit.kinds.watermark import place_histogram
from mapcap.audit.kinds.word import words
from mapcap.audit.labels import Suspects
from mapcap.audit.material import (
    NO_WITNESS,
    PICTURE_SIDE,
    ClassNames,
    Images,
    Material,
    Reference,
    Regions,
    Rival,
)
from mapcap.audit.word_rows import error_words, pair_words
from mapcap.audit.words import phrases

ME, LYNX, CRANE, GOOSE = 1, 2, 3, 4
NAMES = {ME: "tabby", LYNX: "lynx", CRANE: "crane", GOOSE: "goose"}
SIZE = 8


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float16)


def material(predicted: Sequence[int], captions: Sequence[str], seed: int = 0) -> Material:
    """A class whose images were taken for `predicted`; each has one region with its caption."""
    rng = np.random.default_rng(seed)
    n = len(predicted)
    said = np.array(predicted, np.int64)
    ids = np.arange(100, 100 + n)
    pictures = rng.integers(0, 256, (n, PICTURE_SIDE, PICTURE_SIDE, 3)).astype(np.uint8)
    embeddings = unit(rng.normal(size=(n, SIZE)) + 3 * np.eye(SIZE)[0])
    images = Images(
        ids=ids,
        predicted=said,
        correct=said == ME,
        confidence=np.linspace(0.5, 0.9, n),
        margins=np.where(said == ME, 1.0, -1.0),
        witness=np.full(n, NO_WITNESS),
        words=[phrases([caption]) for caption in captions],
        embeddings=embeddings,
        grids=rng.random((n, 4, 4)).astype(np.float32) + 1,
        pictures=pictures,
    )
    regions = Regions(ids + 1000, np.arange(n), embeddings, list(captions))
    wrong = np.flatnonzero(said != ME)
    contrasts = Regions(ids[wrong] + 2000, wrong, embeddings[wrong], ["whiskers."] * len(wrong))
    others = rng.integers(0, 256, (40, PICTURE_SIDE, PICTURE_SIDE, 3)).astype(np.uint8)
    everything = np.concatenate([pictures, others])
    reference = Reference(
        ids=np.concatenate([ids, np.arange(500, 540)]),
        classes=np.concatenate([np.full(n, ME), np.repeat([LYNX, CRANE], 20)]),
        predicted=np.concatenate([said, np.repeat([LYNX, CRANE], 20)]),
        confidence=np.concatenate([images.confidence, np.full(40, 0.9)]),
        witness=np.full(n + 40, NO_WITNESS),
        embeddings=np.concatenate([embeddings, unit(rng.normal(size=(40, SIZE)))]),
        backgrounds=background_properties(everything, np.ones((n + 40, 4, 4))),
        pictures=everything,
        histogram=place_histogram(everything),
        phrases={"cat": n, "grey": n // 3, "brown": n // 3},
    )
    names = ClassNames(
        ids=list(NAMES),
        names=NAMES,
        embeddings=unit(np.array([[1, 0.9, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]])),
        self_confidence=dict.fromkeys(NAMES, 0.5),
        predicted=dict.fromkeys(NAMES, 40),
        taken_for={(LYNX, ME): 2, (CRANE, ME): 30},
    )
    rivals = {LYNX: Rival([phrases(["a spotted cat"])] * 20, unit(rng.normal(size=(20, SIZE))))}

    def embed(words: Sequence[str]) -> np.ndarray:
        return unit(np.array([[len(word), *map(ord, word[:1] * 7)] for word in words], float))

    return Material(ME, images, regions, contrasts, rivals, reference, names, embed, 0)


def half_wrong() -> Material:
    """20 of 40 right; 16 errors are taken for lynx and grey, 4 for crane and brown."""
    predicted = [ME] * 20 + [LYNX] * 16 + [CRANE] * 4
    captions = ["a brown cat."] * 20 + ["a grey cat."] * 16 + ["a brown cat."] * 4
    return material(predicted, captions)


def test_confusions_by_hand() -> None:
    """16 of 40 with 16 of the 20 errors; 4 of 40 are no more than 20 errors over three classes."""
    found = confusion.confusions(half_wrong(), frozenset())
    (lynx,) = found
    assert lynx.title == "16 of 40 are predicted as lynx"
    assert lynx.score == pytest.approx(16 / 40 * 16 / 20)
    assert lynx.figures["taken_back"] == 2
    assert lynx.figures["names_rank"] == 1
    assert lynx.figures["names_cosine"] == pytest.approx(1.9 / np.sqrt(1.81 * 2), abs=1e-3)
    assert lynx.figures["contrast_captions"] == [("whiskers.", 16)]
    assert list(lynx.images) == list(range(135, 119, -1)), "the most confident error comes first"
    assert set(lynx.regions) == set(range(2120, 2136))


def test_errors_thrown_at_random_are_no_confusion() -> None:
    """Of 1,000 classes with 40 errors each, at most 5 % have one: over half did by observed ones.

    Two errors on one of 999 classes are improbable for that class, not for the class of all.
    """
    rng = np.random.default_rng(0)
    given = material([LYNX] * 40, ["a cat."] * 40)
    ids = list(range(1, 1001))
    names = replace(
        given.names,
        ids=ids,
        names={number: str(number) for number in ids},
        embeddings=np.ones((1000, 4), np.float16),
    )
    trials, with_one = 300, 0
    for _ in range(trials):
        images = replace(given.images, predicted=rng.integers(2, 1001, 40))
        chance = replace(given, images=images, names=names)
        with_one += bool(confusion.confusions(chance, frozenset()))
    assert with_one <= 0.05 * trials


def test_errors_of_doubted_labels_do_not_count() -> None:
    doubted = frozenset(range(20, 28))
    (lynx,) = confusion.confusions(half_wrong(), doubted)
    assert lynx.score == pytest.approx(8 / 40 * 16 / 20)
    assert lynx.figures["doubted_labels"] == 8 and lynx.figures["count"] == 16


def test_two_classes_confuse_only_each_other() -> None:
    two = material([ME] * 5 + [LYNX] * 5, ["a cat."] * 10)
    names = replace(two.names, ids=[ME, LYNX], embeddings=two.names.embeddings[:2])
    found = confusion.confusions(replace(two, names=names), frozenset())
    assert found[0].figures["predicted"] == "lynx"


def test_a_class_that_draws_another() -> None:
    """30 cranes among the 52 said to be tabby."""
    (crane,) = confusion.mistaken_others(half_wrong())
    assert crane.title == "30 of the 52 predicted as tabby are crane"
    assert crane.score == pytest.approx((30 / 52) ** 2 / 2)


def test_words_have_their_images_and_those_of_the_right_ones_their_absence() -> None:
    rows = error_words(half_wrong())
    by_word = {row.word: row for row in rows}
    grey = by_word["grey"]
    assert (grey.images, grey.correct, grey.wrong) == (16, 0, 16) and grey.z > 0
    assert by_word["brown"].z < 0 and by_word["brown"].correct == 20
    found = words(half_wrong(), rows)
    assert len(found) == 1, "both words concern the same wrong images"
    assert found[0].score == pytest.approx(16 / 40 * (1 - 4 / 24))
    assert found[0].wrong == frozenset(range(20, 36))
    assert set(found[0].images) == set(range(120, 136))


def test_the_own_noun_absent_is_marked_and_comes_last() -> None:
    """The errors lack “tabby”, the class's name; half of them are grey."""
    captions = ["a brown tabby cat."] * 20 + ["a brown cat."] * 10 + ["a grey cat."] * 10
    given = material([ME] * 20 + [LYNX] * 20, captions)
    report = audit_class(given)
    noun = report.findings[-1]
    assert noun.figures["word"] == "tabby" and noun.figures["own_noun"] and noun.score == 0
    assert "(a word of the class's name)" in noun.title
    assert any("captioner failed" in line for line in KINDS["word"].details(noun))
    assert "“tabby”" not in report.line
    assert "“brown” is absent from misclassified images" in report.line


def test_words_of_a_pair_are_against_the_rivals_right_images() -> None:
    rows = {row.word: row for row in pair_words(half_wrong())}
    assert {row.against_class_id for row in rows.values()} == {LYNX}
    assert rows["spotted"].z < 0 < rows["grey"].z
    assert rows["spotted"].images == 0 and rows["grey"].wrong == 16


def test_a_slice_scores_its_share_times_its_excess() -> None:
    part = Slice(np.arange(30, 36), np.arange(30, 36), 6, 0.001, 0.01, ["a grey cat."])
    (found,) = slices(half_wrong(), [part])
    assert found.score == pytest.approx(6 / 40 * (1 - 14 / 34))
    assert found.title == "images like “a grey cat”: 6 of 6 wrong, the others 14 of 34"
    assert list(found.regions) == list(range(1130, 1136))
    assert slices(half_wrong(), [replace(part, q=0.2)]) == []


def test_doubted_labels_are_one_finding() -> None:
    doubted = Suspects(
        np.array([25, 21]), np.array([LYNX, CRANE]), np.array([1.0, 0.8]), np.array([0.9, 0.5])
    )
    (found,) = labels(half_wrong(), doubted)
    assert found.title == "2 of 40 may be labelled wrongly: they look like lynx (1), crane (1)"
    assert found.score == pytest.approx(2 / 40 * (0.9 + 0.4) / 2)
    assert list(found.images) == [125, 121]


def test_the_best_of_each_kind_comes_before_the_second_of_any() -> None:
    scores = [("confusion", 0.9), ("confusion", 0.8), ("watermark", 0.1), ("label", 0.2)]
    empty = MappingProxyType({})
    given = [Finding(kind, f"{kind} {score}", score, empty) for kind, score in scores]
    order = [one.title for one in ranked(given)]
    assert order == ["confusion 0.9", "label 0.2", "watermark 0.1", "confusion 0.8"]
    many = [Finding("word", str(i), i / 10, empty) for i in range(6)]
    assert [one.title for one in ranked(many)] == ["5", "4", "3"]


def test_what_doubted_labels_explain_scores_less() -> None:
    found = Finding("slice", "s", 0.4, {}, wrong=frozenset({1, 2, 3, 4}))
    (lowered,) = discounted([found], frozenset({1, 9}))
    assert lowered.score == pytest.approx(0.3)


def test_the_line_of_a_class_whose_errors_a_word_marks() -> None:
    report = audit_class(half_wrong())
    assert report.line.startswith("tabby: 20 of 40 correct; 16 predicted as lynx; ")
    assert "“grey”" in report.line or "“brown”" in report.line
    assert report.line == "tabby: " + "; ".join(clause.text for clause in report.clauses)
    assert report.clauses[1].figures["taken_for"][0]["count"] == 16
    assert "compete" not in report.line


def test_names_compete_where_nothing_else_differs() -> None:
    """Same captions, same regions, and the errors go to one class."""
    given = material([ME] * 12 + [LYNX] * 28, ["a cat."] * 40)
    same = {LYNX: Rival([phrases(["a cat."])] * 20, given.rivals[LYNX].embeddings)}
    report = audit_class(replace(given, rivals=same))
    assert "12 of 40 correct; 28 predicted as lynx" in report.line
    assert (
        "no word separates misclassified from correct: the two class names compete" in report.line
    )
    assert (
        "no difference shown between the regions of misclassified and correct images (cosine 0.9"
        in report.line
    )
    figures = next(c.figures for c in report.clauses if "compete" in c.text)
    assert figures["share_of_errors"] == 1 and figures["names_rank"] == 1


def test_an_overconfident_class_is_called_so() -> None:
    """20 of its own images and 40 others are predicted as it, with 0.70 and 0.90 on average."""
    given = material([ME] * 20, ["a cat."] * 20)
    everything = replace(given.reference, predicted=np.full(60, ME))
    report = audit_class(replace(given, reference=everything))
    assert "overconfident (confidence 0.83, accuracy 0.33 where it is predicted)" in report.line
    assert report.figures["accuracy"] == pytest.approx(1 / 3)
    assert report.figures["predicted_images"] == 60


def test_few_correct_images_are_not_overconfidence() -> None:
    """36 of 40 are errors, at 0.7; where the class is predicted, all 4 are correct, at 0.52."""
    report = audit_class(material([ME] * 4 + [LYNX] * 36, ["a cat."] * 40))
    assert "overconfident" not in report.line
    assert report.figures["accuracy"] == 1


def test_a_class_without_faults() -> None:
    given = material([ME] * 20, ["a cat."] * 20)
    names = replace(given.names, taken_for={})
    sure = replace(given.images, confidence=np.full(20, 0.95))
    reference = replace(given.reference, confidence=np.full(60, 0.95))
    report = audit_class(replace(given, names=names, images=sure, reference=reference))
    assert report.line == "tabby: 20 of 20 correct; no issue found" and report.findings == []


def test_a_class_without_images() -> None:
    report = audit_class(material([], []))
    assert report.line == "tabby: no image was predicted"
    assert report.figures["ece"] is None and report.words == []


def test_one_image_is_enough_to_go_on() -> None:
    assert audit_class(material([LYNX], ["a cat."])).line.startswith("tabby: 0 of 1 correct")
