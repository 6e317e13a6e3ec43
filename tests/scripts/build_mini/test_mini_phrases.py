from pathlib import Path

import pytest
import torch

from scripts.build_mini.noun_phrases import Chunker, frequent, learn
from scripts.build_mini.people import Described
from scripts.build_mini.tags import NOBODY, PEOPLE, build_tags

CHUNKER = Chunker(
    frozenset(("dog", "dogs", "snow", "girl", "shirt")),
    {"dog": "a", "dogs": "", "snow": "the", "girl": "a", "shirt": "a"},
)


@pytest.mark.parametrize(
    ("sentence", "phrases"),
    [
        ("the black and white dog runs through the deep snow.",
         ["a black and white dog", "the deep snow"]),
        ("two dogs and an older girl.", ["two dogs", "an older girl"]),
        ("her red shirt is wet.", ["a red shirt"]),
        ("brown and running.", []),
        ("", []),
    ],
)  # fmt: skip
def test_phrases_of_a_sentence(sentence: str, phrases: list[str]) -> None:
    assert CHUNKER.phrases(sentence) == phrases


def test_nouns_and_their_articles_are_learnt(tmp_path: Path) -> None:
    nouns = "".join(f"{word} n 1 0 1 0 00000000\n" for word in ("dog", "snow", "run", "red"))
    (tmp_path / "index.noun").write_text(f"  licence\n{nouns}")
    sentences = ["a red dog runs in the snow.", "the snow is red.", "a dog is in snow."] * 15
    chunker = learn(sentences, tmp_path)
    assert chunker.nouns == {"dog", "snow"}  # "red" is a colour; "runs" follows no article
    assert chunker.phrases("red dog on snow") == ["a red dog", "the snow"]


def test_phrases_of_enough_photos() -> None:
    assert frequent([["a", "a", "b"], ["a"], ["b", "c"]], 2) == ["a", "b"]


def test_tags_are_as_true_as_sentences_say() -> None:
    photos = [
        Described("1", "train", ("a girl and a dog.", "a red dog.", "a dog.", "x.", "the snow.")),
        Described("2", "train", ("a dog.",) * 5),
    ]
    tags = build_tags(photos, CHUNKER, lambda texts: torch.eye(64)[: len(texts)], least=1)
    names = [texts[0] for texts in tags.texts]
    assert names[:2] == [PEOPLE[0], NOBODY[0]]
    assert sorted(names[2:]) == names[2:]
    first = dict(zip(names, tags.true[0].tolist(), strict=True))
    assert first[PEOPLE[0]] == pytest.approx(0.2, abs=1e-3)
    assert first[NOBODY[0]] == pytest.approx(0.8, abs=1e-3)
    assert (first["a dog"], first["a red dog"], first["snow"]) == (1, 0.5, 0.5)
    assert tags.true[1, 0] == 0 and tags.draw().shape == (len(names), 64)
