"""Findings and lines of a class made by hand, whose every figure can be counted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mapcap.audit.attributes import ATTRIBUTES
from mapcap.audit.class_audit import audit_class
from mapcap.audit.concepts import ConceptBank
from mapcap.audit.cost import NOTHING, Cost, beyond, beyond_expected
from mapcap.audit.facts import Facts
from mapcap.audit.findings import Finding, discounted, ranked
from mapcap.audit.kind import printed
from mapcap.audit.kinds import KINDS, confusion
from mapcap.audit.kinds.background import background_properties
from mapcap.audit.kinds.label import labels
from mapcap.audit.kinds.odd import odd
from mapcap.audit.kinds.slice import Slice, slices
from mapcap.audit.kinds.watermark import place_histogram
from mapcap.audit.kinds.word import words
from mapcap.audit.line import clauses
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
        phrases={"cat": n, "grey": n // 3, "brown": n // 3},
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
    """20 of 40 right; 16 errors are taken for lynx and grey, 4 for crane and brown."""
    predicted = [ME] * 20 + [LYNX] * 16 + [CRANE] * 4
    captions = ["a brown cat."] * 20 + ["a grey cat."] * 16 + ["a brown cat."] * 4
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
    captions = ["a cat in the snow."] * 16 + ["a cat on a sofa."] * 24
    given = material([ME] * 40, captions)
    apart = np.eye(SIZE)[np.repeat([1, 2], [16, 24])] * 3
    regions = replace(
        given.regions,
        embeddings=unit(apart + np.random.default_rng(1).normal(0, 0.1, apart.shape)),
    )
    report = audit_class(replace(given, regions=regions, labelled=False))
    assert report.line.startswith("tabby: 40 images predicted as it; ")
    groups = {each.title.partition(":")[2]: each for each in report.findings}
    group = groups[" 16 of 40 images"]
    assert group.is_note and set(group.images) == set(range(100, 116))
    assert group.title.startswith("a group with “snow”")
    lines = printed(KINDS["slice"], group, labelled=False)
    assert lines[0] == "16 regions." and any("16 of its 16" in line for line in lines)
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
    grey = by_word["grey"]
    assert (grey.images, grey.correct, grey.wrong) == (16, 0, 16) and grey.z > 0
    assert by_word["brown"].z < 0 and by_word["brown"].correct == 20
    found = words(half_wrong(), rows)
    assert len(found) == 1, "both words concern the same wrong images"
    assert found[0].cost.images == pytest.approx(16 * (1 - 4 / 24))
    assert found[0].wrong == frozenset(range(20, 36))
    assert set(found[0].images) == set(range(120, 136))


def test_the_own_noun_absent_is_marked_and_comes_last() -> None:
    """The errors lack “tabby”, the class's name; half of them are grey."""
    captions = ["a brown tabby cat."] * 20 + ["a brown cat."] * 10 + ["a grey cat."] * 10
    given = material([ME] * 20 + [LYNX] * 20, captions)
    report = audit_class(given)
    noun = report.findings[-1]
    assert noun.figures["word"] == "tabby" and noun.figures["own_noun"] and noun.is_note
    assert "(a word for the class itself)" in noun.title
    assert any("captioner failed" in line for line in KINDS["word"].details(noun))
    assert "“tabby”" not in report.line
    assert "“brown” is absent from misclassified images" in report.line


def test_a_word_that_reads_as_the_name_is_the_classs_own() -> None:
    captions = ["a grey puss."] * 20 + ["a grey thing."] * 10 + ["a red stone."] * 10
    made = material([ME] * 20 + [LYNX] * 20, captions)
    me = int(made.names.places(np.array([ME]))[0])
    alike = replace(made, embed=lambda words: np.repeat(made.names.embeddings[[me]], len(words), 0))
    for given, own in ((made, False), (alike, True)):
        found = {one.figures["word"]: one for one in words(given, error_words(given))}
        assert found["puss"].figures["own_noun"] is own and found["puss"].is_note is own
        assert not found["thing"].figures["own_noun"], "it marks the misclassified"


def test_words_of_a_pair_are_against_the_rivals_right_images() -> None:
    rows = {row.word: row for row in pair_words(half_wrong())}
    assert {row.against_class_id for row in rows.values()} == {LYNX}
    assert rows["spotted"].z < 0 < rows["grey"].z
    # Counted in the two groups that are compared: 16 predicted as lynx, and the lynx's 20 correct.
    spotted, grey = rows["spotted"], rows["grey"]
    assert (spotted.images, spotted.correct, spotted.wrong) == (20, 20, 0)
    assert (grey.images, grey.correct, grey.wrong) == (16, 0, 16)


def test_a_slice_costs_its_images_times_its_excess() -> None:
    part = Slice(np.arange(30, 36), np.arange(30, 36), 6, 0.001, 0.01)
    (found,) = slices(half_wrong(), [part])
    assert found.cost.images == pytest.approx(6 * (1 - 14 / 34))
    assert found.title == "an unnamed group: 6 of 6 misclassified, the others 14 of 34"
    assert list(found.regions) == list(range(1130, 1136))
    assert slices(half_wrong(), [replace(part, q=0.2)]) == []


def test_doubted_labels_are_one_finding() -> None:
    doubted = Suspects(
        np.array([25, 21]), np.array([LYNX, CRANE]), np.array([1.0, 0.8]), np.array([0.9, 0.5])
    )
    (found,) = labels(half_wrong(), doubted)
    assert found.title == "2 of 40 are possible label errors: they look like lynx (1), crane (1)"
    assert found.cost.images == 2
    assert list(found.images) == [125, 121]
    one = Suspects(doubted.index[:1], doubted.predicted[:1], np.ones(1), np.ones(1))
    (listed,) = labels(half_wrong(), one)
    assert listed.is_note and list(listed.images) == [125], "one alone is listed as a note"


def test_odd_images_are_a_kind_of_their_own() -> None:
    """Five of the images point away from names and other photos: all are misclassified."""
    given = material([ME] * 20 + [LYNX] * 20, ["a cat."] * 40)
    vectors = given.images.embeddings.copy()
    far = -given.reference.embeddings.mean(0) + 0.02 * np.eye(SIZE)[:5]
    vectors[35:] = unit(far)
    given = replace(given, images=replace(given.images, embeddings=vectors))
    (found,) = [one for one in audit_class(given).findings if one.kind == "odd"]
    assert found.title == "5 of 40 resemble no class of the run"
    assert set(found.images) == set(range(135, 140)) and found.figures["wrong"] == 5
    assert not found.is_note and found.cost.images == pytest.approx(5 * (1 - 15 / 35))
    (alone,) = odd(given, np.array([39]))
    assert alone.is_note and alone.title == "1 of 40 resembles no class of the run"


def test_what_costs_most_comes_first_and_notes_last() -> None:
    costs = [("background", 0.0), ("confusion", 9.0), ("confusion", 8.0), ("label", 2.0)]
    given = [Finding(kind, f"{kind} {cost}", Cost(cost, 0, cost), {}) for kind, cost in costs]
    order = [one.title for one in ranked(given)]
    assert order == ["confusion 9.0", "confusion 8.0", "label 2.0", "background 0.0"]
    many = [Finding("word", str(i), Cost(i, 0, i), {}) for i in range(6)]
    assert [one.title for one in ranked(many)] == ["5", "4", "3"]


def test_the_cost_is_what_lies_beyond_the_error_rate_of_the_others() -> None:
    """22 of 25 wrong against 8 of 25: 14 more than these would have; Agresti and Caffo by hand."""
    concerned = np.arange(50) < 25
    wrong = np.isin(np.arange(50), [*range(22), *range(25, 33)])
    cost = beyond(concerned, wrong)
    half = 1.959964 * np.sqrt((23 * 4 + 9 * 18) / 27**3)
    ends = [25 * (14 / 27 + sign * half) for sign in (-1, 1)]
    assert (cost.images, cost.low, cost.high) == pytest.approx((14, *ends))
    assert str(cost) == "costs 14 images, 7 to 19"
    assert beyond(~concerned, wrong) == NOTHING, "they are wrong less often"
    assert beyond(np.ones(50, bool), wrong) == NOTHING, "nothing lacks it"


def test_the_interval_of_a_cost_holds_the_true_one() -> None:
    """Where a group is wrong in 60 % and the rest in 30 %, 95 % of the intervals hold the gap."""
    rng = np.random.default_rng(0)
    concerned = np.arange(100) < 40
    costs = [beyond(concerned, rng.random(100) < np.where(concerned, 0.8, 0.3)) for _ in range(400)]
    assert np.mean([cost.low <= 40 * 0.5 <= cost.high for cost in costs]) >= 0.93


def test_what_goes_with_no_error_is_a_note() -> None:
    """With correctness at random, at most 5 % of groups cost anything."""
    rng = np.random.default_rng(1)
    concerned = np.arange(100) < 40
    costs = [beyond(concerned, rng.permutation(100) < 50) for _ in range(400)]
    assert np.mean([cost != NOTHING for cost in costs]) <= 0.05


def test_a_confusion_costs_what_chance_does_not_give() -> None:
    cost = beyond_expected(20, 100, 2)
    share, half = 22 / 104, 1.959964 * np.sqrt(22 / 104 * 82 / 104 / 104)
    ends = [100 * (share + sign * half) - 2 for sign in (-1, 1)]
    assert (cost.images, cost.low, cost.high) == pytest.approx((18, *ends))
    assert beyond_expected(2, 100, 3).images == 0


def test_the_line_says_the_first_two_causes_and_not_that_nothing_separates() -> None:
    """The errors alone have a dark background: no word tells them, and none needs to."""
    given = material([ME] * 20 + [LYNX] * 20, ["a cat."] * 40)
    dark = given.images.pictures.copy()
    dark[20:] //= 12
    report = audit_class(replace(given, images=replace(given.images, pictures=dark)))
    assert "have a dark background" in report.line
    assert "100% without" in report.line, "with the accuracies that make it a cause"
    assert "no word distinguishes" not in report.line
    kinds = [one.kind for one in report.findings]
    assert kinds.index("background") < len(kinds) and not report.findings[0].is_note
    of_line = [c.figures["kind"] for c in report.clauses if "kind" in c.figures]
    causes = [one.kind for one in report.findings if one.kind != "confusion" and not one.is_note]
    assert of_line == causes[:2]


def test_a_background_that_goes_with_no_error_is_a_note_off_the_line() -> None:
    """All the class's pictures are dark, the correct ones too."""
    given = material([ME] * 20 + [LYNX] * 20, ["a cat."] * 40)
    images = replace(given.images, pictures=given.images.pictures // 12)
    report = audit_class(replace(given, images=images))
    notes = [one.kind for one in report.findings if one.is_note]
    assert "background" in notes
    assert [one.is_note for one in report.findings] == sorted(
        one.is_note for one in report.findings
    )
    assert "background" not in report.line
    (note,) = [one for one in report.findings if one.kind == "background"]
    assert printed(KINDS["background"], note)[0] == "A note: no error of the class goes with it."


def test_what_doubted_labels_explain_costs_less() -> None:
    found = Finding("slice", "s", Cost(4, 2, 4), {}, wrong=frozenset({1, 2, 3, 4}))
    (lowered,) = discounted([found], frozenset({1, 9}))
    assert lowered.cost == Cost(3, 1.5, 3)


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
        "no word distinguishes misclassified from correct images: the two class names compete"
        in report.line
    )
    assert (
        "no difference shown between the regions of misclassified and correct images (cosine 0.9"
        in report.line
    )
    figures = next(c.figures for c in report.clauses if "compete" in c.text)
    assert figures["share_of_errors"] == 1 and figures["names_rank"] == 1


@pytest.mark.parametrize(
    ("p", "low", "said"),
    [
        (0.3, 0.92, "are as like the correct ones' as these are among themselves (cosine 0.94, "),
        (0.3, 0.85, "no difference shown between the regions of misclassified and correct images"),
        (0.01, 0.92, "differ from the correct ones' (cosine 0.94, halves of the correct 0.95)"),
    ],
)
def test_what_is_said_of_the_regions(p: float, low: float, said: str) -> None:
    """Sameness needs the whole interval above the yardstick; a high cosine alone shows none."""
    figures = dict.fromkeys(("predicted_images", "maps_p"), None) | {
        "regions_cosine": 0.94,
        "regions_p": p,
        "regions_low": low,
        "regions_half": 0.95,
        "regions_half_low": 0.9,
        "accuracy": None,
        "mean_confidence": None,
        "ece": None,
        "ece_level": None,
    }
    line = "; ".join(clause.text for clause in clauses(Facts("tabby", 20, 10, figures, [], [], [])))
    assert said in line


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
