"""Findings of a class made by hand, whose every figure can be counted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mapcap.audit.attributes import ATTRIBUTES
from mapcap.audit.class_audit import audit_class
from mapcap.audit.concepts import ConceptBank
from mapcap.audit.kind import printed
from mapcap.audit.kinds import KINDS, confusion
from mapcap.audit.kinds.background import background_properties
from mapcap.audit.kinds.label import labels
from mapcap.audit.kinds.odd import odd
from mapcap.audit.kinds.slice import Slice, slices
from mapcap.audit.kinds.watermark import place_histogram
from mapcap.audit.kinds.word import words
from mapcap.audit.material import (
    NO_WITNESS,
    PICTURE_SIDE,
    ClassNames,
    Images,
    Material,
    Reference,
    Regions,
    Rival,
    bars_of,
)
from mapcap.audit.suspects import Suspects
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
        attributes=np.random.default_rng(10).random((n, len(ATTRIBUTES))),
        grounds=np.ones((n, PICTURE_SIDE, PICTURE_SIDE), bool),
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
        backgrounds=background_properties(
            everything, np.ones((n + 40, PICTURE_SIDE, PICTURE_SIDE), bool)
        ),
        pictures=everything,
        histogram=place_histogram(everything),
        phrases={"cat": n, "furry": n // 3, "spotless": n // 3},
        attributes=rng.random((n + 40, len(ATTRIBUTES))),
        same_files=np.empty((0, 3), np.int64),
    )
    names = ClassNames(
        ids=list(NAMES),
        names=NAMES,
        embeddings=unit(
            np.array([[1, 0.9, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]) @ np.eye(4, SIZE)
        ),
        taken_for={(LYNX, ME): 2, (CRANE, ME): 30},
    )
    rivals = {LYNX: Rival([phrases(["a spotted cat"])] * 20, unit(rng.normal(size=(20, SIZE))))}

    def embed(words: Sequence[str]) -> np.ndarray:
        return unit(np.array([[len(word), *map(ord, word[:1] * 7)] for word in words], float))

    def paths(numbers: Sequence[int]) -> dict[int, str]:
        return {number: f"{number}.jpg" for number in numbers}

    bars = bars_of(reference, names, seed=0)
    bank = ConceptBank([], np.zeros((0, SIZE), np.float32), [])
    return Material(
        ME, images, regions, contrasts, rivals, reference, names, bars, embed, bank, 0, paths
    )


def half_wrong() -> Material:
    """20 of 40 right; 16 errors are taken for lynx and furry, 4 for crane and spotless."""
    predicted = [ME] * 20 + [LYNX] * 16 + [CRANE] * 4
    captions = ["a spotless cat."] * 20 + ["a furry cat."] * 16 + ["a spotless cat."] * 4
    return material(predicted, captions)


def test_confusions_by_hand() -> None:
    """16 of the 20 errors, where 20 over three classes give each 6.7; 4 are no more than that."""
    found = confusion.confusions(half_wrong(), frozenset())
    (lynx,) = found
    assert lynx.title == "16 of 40 are predicted as lynx"
    assert lynx.cost.images == pytest.approx(16 - 20 / 3)
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
    assert lynx.cost.images == pytest.approx(8 - 20 / 3)
    assert lynx.figures["doubted_labels"] == 8 and lynx.figures["count"] == 16


def test_two_classes_confuse_only_each_other() -> None:
    two = material([ME] * 5 + [LYNX] * 5, ["a cat."] * 10)
    names = replace(two.names, ids=[ME, LYNX], embeddings=two.names.embeddings[:2])
    found = confusion.confusions(replace(two, names=names), frozenset())
    assert found[0].figures["predicted"] == "lynx"


def test_without_labels_a_group_is_what_sets_it_apart() -> None:
    """No finding knows errors; the group costs nothing and is called by its words."""
    captions = ["a cat in the snow."] * 13 + ["a cat on a sofa."] * 27
    given = material([ME] * 40, captions)
    apart = np.eye(SIZE)[np.repeat([1, 2], [13, 27])] * 3
    regions = replace(
        given.regions,
        embeddings=unit(apart + np.random.default_rng(1).normal(0, 0.1, apart.shape)),
    )
    report = audit_class(replace(given, regions=regions, labelled=False))
    assert report.line.startswith("tabby: 40 images predicted as it; ")
    groups = {each.title.partition(":")[2]: each for each in report.findings}
    group = groups[" 13 of 40 images"]
    assert group.is_note and set(group.images) == set(range(100, 113))
    assert group.title.startswith("a group with “snow”")
    lines = printed(KINDS["slice"], group, labelled=False)
    assert lines[0] == "13 regions." and any("13 of its 13" in line for line in lines)
    assert {each.kind for each in report.findings} <= {
        name for name, kind in KINDS.items() if not kind.of_errors
    }
    figures = report.figures
    assert (figures["accuracy"], figures["ece"], figures["bins"]) == (None, None, [])


def test_a_class_that_draws_another() -> None:
    """30 cranes among the 52 said to be tabby: no error of a tabby, so a note."""
    (crane,) = confusion.mistaken_others(half_wrong())
    assert crane.title == "30 of the 52 predicted as tabby are crane"
    assert crane.is_note


def test_words_have_their_images_and_those_of_the_right_ones_their_absence() -> None:
    rows = error_words(half_wrong())
    by_word = {row.word: row for row in rows}
    furry = by_word["furry"]
    assert (furry.images, furry.correct, furry.wrong) == (16, 0, 16) and furry.z > 0
    assert by_word["spotless"].z < 0 and by_word["spotless"].correct == 20
    found = words(half_wrong(), rows)
    assert [one.figures["word"] for one in found] == ["furry"], "both concern the same wrong images"
    assert found[0].cost.images == pytest.approx(16 * (1 - 4 / 24))
    assert found[0].wrong == frozenset(range(20, 36))
    assert set(found[0].images) == set(range(120, 136))


def test_a_colour_is_a_note() -> None:
    """Captions name colours less truly than the pixels' attributes do."""
    captions = ["a cat."] * 20 + ["a grey cat."] * 16 + ["a cat."] * 4
    given = material([ME] * 20 + [LYNX] * 20, captions)
    found = {one.figures["word"]: one for one in words(given, error_words(given))}
    colour = found["grey"]
    assert colour.figures["errors_have_it"] and colour.is_note
    assert "colours" in printed(KINDS["word"], colour)[0]


def test_the_own_noun_absent_is_marked_and_comes_last() -> None:
    """The errors lack “tabby”, the class's name; half of them are furry."""
    captions = ["a spotless tabby cat."] * 20 + ["a spotless cat."] * 10 + ["a furry cat."] * 10
    given = material([ME] * 20 + [LYNX] * 20, captions)
    report = audit_class(given)
    noun = [one for one in report.findings if one.kind == "word"][-1]
    assert noun.figures["word"] == "tabby" and noun.figures["own_noun"] and noun.is_note
    assert "(a word for the class itself)" in noun.title
    assert "captioner failed" in printed(KINDS["word"], noun)[0]
    assert "“tabby”" not in report.line
    assert "is absent from misclassified images" not in report.line
    absent = [one for one in report.findings if one.kind == "word" and not one.figures["own_noun"]]
    assert all(one.is_note or one.figures["errors_have_it"] for one in absent)


def test_a_word_that_reads_as_the_name_is_the_classs_own() -> None:
    captions = ["a furry puss."] * 20 + ["a furry thing."] * 10 + ["a red stone."] * 10
    made = material([ME] * 20 + [LYNX] * 20, captions)
    me = int(made.names.places(np.array([ME]))[0])
    alike = replace(made, embed=lambda words: np.repeat(made.names.embeddings[[me]], len(words), 0))
    for given, own in ((made, False), (alike, True)):
        found = {one.figures["word"]: one for one in words(given, error_words(given))}
        assert found["puss"].figures["own_noun"] is own and found["puss"].is_note
        assert not found["thing"].figures["own_noun"], "it marks the misclassified"


def test_words_of_a_pair_are_against_the_rivals_right_images() -> None:
    rows = {row.word: row for row in pair_words(half_wrong())}
    assert {row.against_class_id for row in rows.values()} == {LYNX}
    assert rows["spotted"].z < 0 < rows["furry"].z
    # Counted in the two groups that are compared: 16 predicted as lynx, and the lynx's 20 correct.
    spotted, furry = rows["spotted"], rows["furry"]
    assert (spotted.images, spotted.correct, spotted.wrong) == (20, 20, 0)
    assert (furry.images, furry.correct, furry.wrong) == (16, 0, 16)


def test_a_slice_costs_its_images_times_its_excess() -> None:
    part = Slice(np.arange(30, 36), np.arange(30, 36), 6, 0.001, 0.01)
    (found,) = slices(half_wrong(), [part])
    assert found.cost.images == pytest.approx(6 * (1 - 14 / 34))
    assert found.title == "a group with “furry”: 6 of 6 misclassified, the others 14 of 34"
    assert list(found.regions) == list(range(1130, 1136))
    assert slices(half_wrong(), [replace(part, q=0.2)]) == []


def test_doubted_labels_are_one_finding() -> None:
    given = half_wrong()
    seems = given.names.places(np.array([LYNX, CRANE]))
    doubted = Suspects(np.array([25, 21]), seems, np.array([1.0, 0.8]), np.array([0.9, 0.5]))
    (found,) = labels(given, doubted)
    assert found.title == "2 of 40 are possible label errors: they look like lynx (1), crane (1)"
    assert found.cost.images == 2
    assert list(found.images) == [125, 121]
    one = Suspects(doubted.index[:1], doubted.seems[:1], np.ones(1), np.ones(1))
    (listed,) = labels(given, one)
    assert listed.is_note and list(listed.images) == [125], "one alone is listed as a note"


def test_odd_images_are_a_kind_of_their_own() -> None:
    """Five of the images point away from names and other photos: all are misclassified."""
    given = material([ME] * 20 + [LYNX] * 20, ["a cat."] * 40)
    vectors = unit(given.images.embeddings + given.reference.embeddings.mean(0))
    far = -given.reference.embeddings.mean(0) + 0.02 * np.eye(SIZE)[:5]
    vectors[35:] = unit(far)
    given = replace(given, images=replace(given.images, embeddings=vectors))
    (found,) = [one for one in audit_class(given).findings if one.kind == "odd"]
    assert found.title == "5 of 40 resemble no class of the run"
    assert set(found.images) == set(range(135, 140)) and found.figures["wrong"] == 5
    assert not found.is_note and found.cost.images == pytest.approx(5 * (1 - 15 / 35))
    (alone,) = odd(given, np.array([39]))
    assert alone.is_note and alone.title == "1 of 40 resembles no class of the run"
