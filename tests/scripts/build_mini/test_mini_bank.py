import random
from collections.abc import Sequence
from zlib import crc32

import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.bank import TEMPLATES, Bank, build_bank, describing_texts, plain_texts
from scripts.build_mini.classes import PhotoClass
from scripts.build_mini.synsets import Synset

SYNSETS = {
    "1": Synset(("thing",), (), "anything"),
    "2": Synset(("animal",), ("1",), "it moves"),
    "3": Synset(("cat",), ("2",), "it purrs; not always"),
    "4": Synset(("dog",), ("2",), "it barks"),
    "5": Synset(("apple",), ("1",), "it is round"),
}
CLASSES = [
    PhotoClass("n3", "cat", ("cat", "true cat", "kitty", "moggy")),
    PhotoClass("n4", "dog", ("dog",)),
    PhotoClass("n5", "apple", ("apple",)),
]


def encode(texts: Sequence[str]) -> Tensor:
    """Give every text a direction of its own."""
    rows = []
    for text in texts:
        generator = torch.Generator().manual_seed(crc32(text.encode()))
        rows.append(F.normalize(torch.randn(16, generator=generator), dim=0))
    return torch.stack(rows)


def bank() -> Bank:
    return build_bank(encode, CLASSES, SYNSETS, [0, 2])


def test_texts_of_a_class() -> None:
    assert len(plain_texts(CLASSES[0])) == 3 * len(TEMPLATES)
    assert "a photo of an apple" in plain_texts(CLASSES[2])
    assert describing_texts(CLASSES[0], SYNSETS) == [
        "cat: it purrs",
        "cat, a kind of animal",
        "cat, animal",
        "it purrs",
    ]
    assert "apple, a kind of apple" in describing_texts(CLASSES[2], SYNSETS)


def test_centres_are_means_of_all_texts() -> None:
    centre = torch.zeros(16)
    for text in plain_texts(CLASSES[1]):
        centre += encode([text])[0] / len(TEMPLATES)
    for text in describing_texts(CLASSES[1], SYNSETS):
        centre += 0.5 * encode([text])[0] / 4
    assert torch.allclose(bank().centres[1], centre / centre.norm())


def test_hypernyms_are_those_of_the_seen() -> None:
    found = bank()
    assert torch.equal(found.hypernyms, encode(["animal"]))
    assert found.ancestors == [[0], [0], []]
    assert found.is_a.tolist() == [[True], [True], [False]]


def test_drawn_texts_are_of_their_class() -> None:
    found = bank()
    random.seed(0)
    assert torch.equal(found.draw([2, 0], described=0.5, bare=1.0), encode(["apple", "cat"]))
    for share, texts in (
        (0.0, plain_texts(CLASSES[0])),
        (1.0, describing_texts(CLASSES[0], SYNSETS)),
    ):
        known = encode(texts)
        drawn = torch.cat([found.draw([0], described=share, bare=0.0) for _ in range(200)])
        hits = (drawn @ known.T).argmax(1)
        assert torch.equal(known[hits], drawn)
        assert len(set(hits.tolist())) == len(set(texts))
