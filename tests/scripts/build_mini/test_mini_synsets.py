from pathlib import Path

import pytest

from scripts.build_mini.synsets import Synset, hypernym_words, read_synsets

DATA_NOUN = """\
  1 This software and database is being provided to you
00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | that which is perceived
00000002 05 n 02 big_cat 0 cat 1 002 @ 00000001 n 0000 ~ 00000003 n 0000 | a large feline; "he ran"
00000003 05 n 03 lion 0 king_of_beasts 0 Panthera_leo 0 003 @ 00000002 n 0000 + 00009999 v 0101 %p 00000007 n 0000 | large gregarious predator; has a mane
00000004 18 n 01 Simba 0 001 @i 00000003 n 0000 | a lion of that name
"""  # noqa: E501


@pytest.fixture
def synsets(tmp_path: Path) -> dict[str, Synset]:
    (tmp_path / "data.noun").write_text(DATA_NOUN)
    return read_synsets(tmp_path)


def test_reading(synsets: dict[str, Synset]) -> None:
    assert len(synsets) == 4
    lion = synsets["00000003"]
    assert lion.words == ("lion", "king of beasts", "Panthera leo")
    assert lion.parents == ("00000002",)
    assert lion.definition == "large gregarious predator"
    assert synsets["00000004"].parents == ("00000003",)  # an instance, too, has a hypernym


def test_hypernyms_without_the_vague_ones(synsets: dict[str, Synset]) -> None:
    assert hypernym_words(synsets, "00000004") == ["lion", "big cat"]
    assert hypernym_words(synsets, "00000001") == []
