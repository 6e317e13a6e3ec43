"""Concepts: the vocabulary, a person's own terms, and which of them speak of a class's errors."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mapcap.audit.concept_tests import concept_tests, shown, stands_out
from mapcap.audit.concepts import (
    RELIABILITIES,
    RELIABLE,
    VOCABULARY,
    Concept,
    ConceptBank,
    Reliability,
    concept_bank,
    concept_vectors,
    field_lines,
    kinds_of,
    parse_concepts,
    read_reliabilities,
    vocabulary,
    words_of,
)
from mapcap.audit.contrast import contrasts
from mapcap.audit.inputs import audit_inputs
from mapcap.audit.kind import printed
from mapcap.audit.kinds import KINDS
from mapcap.audit.kinds.concept import concepts
from mapcap.audit.kinds.name import detect as name_findings
from mapcap.audit.material import Material
from mapcap.audit.misnomer import misnomer
from mapcap.errors import UserError
from mapcap.indexing.digests import weights_digest
from mapcap.networks.embedded import embedded
from tests.audit.test_audit_findings import LYNX, ME, SIZE, material, unit
from tests.calling import Result

PEOPLE = Concept("people", "people")
NIGHT = Concept("light", "at night")
WRONG = np.arange(100) >= 60


def given(scores: np.ndarray, own: np.ndarray | None = None) -> Material:
    """100 images, the last 40 predicted as lynx: one axis is shown (n,), another the class (n,)."""
    made = material([ME] * 60 + [LYNX] * 40, ["a cat."] * 100)
    noise = np.random.default_rng(1).normal(0, 0.05, (100, SIZE))
    vectors = noise + 4 * np.eye(SIZE)[3]
    vectors[:, 5] += scores
    vectors[:, 0] += 0 if own is None else own
    bank = ConceptBank([PEOPLE, NIGHT], np.eye(SIZE, dtype=np.float32)[[5, 6]], [None, None])
    return replace(made, images=replace(made.images, embeddings=unit(vectors)), concepts=bank)


def with_reliability(made: Material, threshold: float) -> Material:
    bank = replace(made.concepts, reliabilities=[Reliability(0.96, threshold, 700), None])
    return replace(made, concepts=bank)


def test_the_vocabulary_can_be_read_and_refers_to_its_own_groups() -> None:
    concepts_ = vocabulary()
    groups = {each.group for each in concepts_}
    assert len(concepts_) >= 600
    referred = {word[1:] for each in concepts_ for word in each.also if word.startswith("@")}
    assert referred and referred <= groups
    people = concepts_[0]
    assert people.term == "people" and people.against and "man" in words_of(people)
    animal = next(each for each in concepts_ if each.term == "an animal")
    assert {"dog", "horse", "animal"} <= words_of(animal)


def test_what_a_thing_is_a_kind_of() -> None:
    assert "fruit" in kinds_of("lemon") and "roof" in kinds_of("thatch")
    assert "bird" in kinds_of("king penguin"), "its last word counts"
    assert not kinds_of("no such thing")


def test_own_terms_are_a_term_a_line_or_columns(tmp_path: Path) -> None:
    file = tmp_path / "field.tsv"
    file.write_text(
        "# wards\na hospital bed\n\nlight\tunder a lamp\t\tlamp light|a lamp\tno lamp\n"
    )
    lines = field_lines(file)
    bed, lamp = parse_concepts(lines, "the run")
    assert (bed.group, bed.term, bed.prompts[1]) == (
        "field", "a hospital bed", "a photo of a hospital bed",
    )  # fmt: skip
    assert lamp.prompts == ("lamp light", "a lamp") and lamp.against == ("no lamp",)
    assert lamp.phrase == "are under a lamp" and bed.phrase == "show a hospital bed"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a bed\na bed", "line 2: “a bed” stands there twice"),
        ("a bed\na\tb\tc\td\te\tf", "line 2: has 6 columns"),
        ("wards\t \t", "line 1: has no term"),
        ("a \x1b[31mbed", "line 1: .* control characters"),
        ("b" * 101, "line 1: .* longer than 100 characters"),
        ("# nothing\n", "holds 0 terms"),
    ],
)
def test_own_terms_that_cannot_be_read_are_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "field.tsv"
    file.write_text(text)
    with pytest.raises(UserError, match=f"--concepts .*field.tsv.*{says}"):
        field_lines(file)


def test_a_file_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "field.tsv"
    with pytest.raises(UserError, match="cannot be read"):
        field_lines(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="UTF-8"):
        field_lines(file)


def test_the_command_names_the_line_before_any_work(call, tmp_path: Path, photos: Path) -> None:
    file = tmp_path / "field.tsv"
    file.write_text("a\tb\tc\td\te\tf\n")
    result: Result = call("index", photos, "--db", tmp_path / "x.db", "--concepts", file)
    assert result.code == 2 and "line 1: has 6 columns" in result.err
    assert not (tmp_path / "x.db").exists()


def embed(texts: Sequence[str]) -> np.ndarray:
    """Return a row a text: 1 where it says no, and its length."""
    return np.array([["no " in text, len(text)] for text in texts], np.float32)


def test_a_vector_is_the_mean_of_the_texts_less_that_of_the_absence() -> None:
    there = Concept("people", "people", texts=("a", "abc"), against=("no one",))
    np.testing.assert_allclose(concept_vectors(embed, [there]), [[-1, 2 - 6]])
    plain = Concept("things", "x")
    lengths = [len(text) for text in ("x", "a photo of x", "there is x")]
    assert concept_vectors(embed, [plain])[0].tolist() == pytest.approx([0, np.mean(lengths)])


def test_the_embedded_clip_speaks_of_what_it_tells_and_of_own_terms() -> None:
    digest = RELIABILITIES.read_text().split()[2]
    measured = read_reliabilities(RELIABILITIES, digest)
    bank = concept_bank(embed, [Concept("field", "a hospital bed")], digest)
    assert 0 < len(bank) < len(vocabulary())
    assert bank.reliabilities[-1] is None and bank.concepts[-1].term == "a hospital bed"
    assert all(each is not None and each.auc >= RELIABLE for each in bank.reliabilities[:-1])
    assert measured["people"].auc >= RELIABLE, "else the audit can say nothing of people"
    other = concept_bank(embed, [], None)
    assert len(other) == len(vocabulary()) and set(other.reliabilities) == {None}
    assert len(concept_bank(embed, [], "0" * 64)) == len(vocabulary()), "of other weights"


def test_the_reliabilities_are_those_of_the_embedded_weights() -> None:
    assert read_reliabilities(RELIABILITIES, weights_digest(embedded("clip"))), (
        "the embedded CLIP has changed: run python -m scripts.concept_reliability"
    )
    terms = {each.term for each in vocabulary()}
    assert {line.split("\t")[0] for line in RELIABILITIES.read_text().splitlines()[2:]} <= terms
    assert VOCABULARY.is_file()


def test_a_concept_of_the_errors_is_named_with_its_counts() -> None:
    scores = np.where(WRONG, 0.6, 0.0)
    scores[[2, 3, 4]], scores[[60, 61]] = 0.6, 0
    made = with_reliability(given(scores), 0.07)
    tests = concept_tests(made)
    assert [stands_out(test) for test in tests] == [True, False]
    (found,) = concepts(made, tests)
    assert found.title == "38 of the 40 misclassified images show people (3 of the 60 correct ones)"
    assert found.cost.images == pytest.approx(41 * (38 / 41 - 2 / 59))
    assert len(found.wrong) == 38 and len(found.regions) == 41
    kind = KINDS["concept"]
    assert kind.clause is not None and kind.clause(found) == found.title
    lines = printed(kind, found)
    assert "With it 7 % correct (3 of 41), without 97 % (57 of 59)." in lines
    assert any("AUC of 0.96" in line for line in lines)


def test_without_a_threshold_the_nearest_third_is_counted() -> None:
    made = given(np.where(WRONG, 0.6, 0.0))
    (found,) = concepts(made, concept_tests(made))
    assert found.title == (
        "of the 33 images nearest to “people” 33 are misclassified, 7 of the other 67"
    )
    assert "not known" in KINDS["concept"].details(found)[-1]


def test_what_the_errors_lack_is_named_as_such() -> None:
    made = given(np.where(WRONG, 0.0, 0.6))
    (found,) = concepts(with_reliability(made, 0.07), concept_tests(with_reliability(made, 0.07)))
    assert found.title == "0 of the 40 misclassified images show people (60 of the 60 correct ones)"
    assert not found.regions, "no region shows what is not there"
    (found,) = concepts(made, concept_tests(made))
    assert found.title.startswith("of the 33 images farthest from “people” 33 are misclassified")


def test_a_cosine_that_drifts_with_the_names_says_nothing() -> None:
    """Errors are less like their class's text, and people go with exactly that."""
    own = np.where(WRONG, 0.0, 1.0) + np.random.default_rng(2).normal(0, 0.4, 100)
    drifting = given(-0.5 * own, own)
    plain = replace(
        drifting, names=replace(drifting.names, embeddings=unit(np.eye(SIZE)[[7, 4, 1, 2]]))
    )
    assert any(map(stands_out, concept_tests(plain))), "it would, were the names not taken out"
    assert not any(map(stands_out, concept_tests(drifting)))


def test_with_correctness_permuted_few_classes_have_one() -> None:
    rng = np.random.default_rng(3)
    made = given(rng.normal(size=100))
    bank = ConceptBank(
        [Concept("things", f"thing {i}") for i in range(40)],
        rng.normal(size=(40, SIZE)).astype(np.float32),
        [None] * 40,
    )
    count = 0
    for _ in range(40):
        said = rng.permutation(made.images.predicted)
        images = replace(made.images, predicted=said, correct=said == ME)
        count += any(map(stands_out, concept_tests(replace(made, images=images, concepts=bank))))
    assert count <= 5  # 2 are expected; more than 5 in 0.3 % of trials


def test_the_class_itself_and_too_few_errors_are_not_tested() -> None:
    made = given(np.where(WRONG, 0.6, 0.0))
    cat = replace(made.concepts, concepts=[Concept("animals", "a cat"), NIGHT])
    assert [test.concept for test in concept_tests(replace(made, concepts=cat))] == [NIGHT]
    few = replace(made.images, correct=np.arange(100) >= 4)
    assert not concept_tests(replace(made, images=few))


def test_what_hardly_any_or_nearly_all_show_parts_nothing() -> None:
    scores = np.linspace(0, 1, 100)
    for threshold, count in ((0.5, 50), (-1.0, None), (2.0, None)):
        part = shown(scores, Reliability(0.9, threshold, 50))
        assert count == (None if part is None else part.having.sum())
    made = with_reliability(given(np.where(WRONG, 0.6, 0.0)), 2.0)
    assert [test.concept for test in concept_tests(made)] == [NIGHT]


def test_a_group_is_named_by_a_concept() -> None:
    made = given(np.where(WRONG, 0.6, 0.0))
    apart = contrasts(with_reliability(made, 0.07), WRONG)
    assert [(each.text, each.inside, each.outside) for each in apart] == [("showing people", 40, 0)]


def test_a_better_name_is_found_where_it_wins_more_than_it_loses() -> None:
    made = given(np.zeros(100))
    # All that this class shows lies along axis 3; its name is elsewhere, a rival's is nearer.
    texts = np.eye(SIZE)[[0, 1, 2, 4]] + 0.2
    texts[1, 3] = 0.7
    names = replace(made.names, embeddings=unit(texts))
    vectors = np.eye(SIZE)[[3] * 100 + [2] * 40]
    vectors += np.random.default_rng(4).normal(0, 0.02, vectors.shape)
    reference = replace(
        made.reference,
        ids=np.arange(140),
        classes=np.repeat([ME, LYNX], [100, 40]),
        predicted=np.repeat([LYNX, LYNX], [100, 40]),
        embeddings=unit(vectors),
    )

    def embed_words(words: Sequence[str]) -> np.ndarray:
        return unit(np.array([np.eye(SIZE)[3 if word == "hammer" else 7] for word in words]))

    made = replace(made, names=names, reference=reference, embed=embed_words)
    better = misnomer(made)
    assert better is not None and better.word == "hammer"
    assert better.before == 0 and better.correct.all() and better.lost == 0
    found = name_findings(audit_inputs(made))[-1]
    assert found.title == (
        "the name tabby fits badly: 100 of 100 are nearer to “hammer”, by which 100 would be "
        "correct instead of 0"
    )
    everywhere = replace(reference, embeddings=unit(np.tile(np.eye(SIZE)[3], (140, 1))))
    hub = replace(made, reference=replace(everywhere, classes=np.full(140, LYNX)))
    assert misnomer(hub) is None, "it would draw as many of another class"
