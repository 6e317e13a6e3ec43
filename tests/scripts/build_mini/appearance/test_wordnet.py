"""Everyday nouns of a class, from WordNet."""

import re
from pathlib import Path

import pytest

from scripts.build_mini.appearance import (
    Nouns,
    nouns_for,
    phrases,
)
from scripts.build_mini.appearance.coarse import COARSE, MASS, PLURAL
from scripts.build_mini.appearance.wordnet import number

# --- nouns


def write_nouns(folder: Path, lines: dict[int, str]) -> Path:
    """Write a data.noun with lines at byte offsets, as WordNet's own are."""
    with (folder / "data.noun").open("wb") as file:
        for offset, line in lines.items():
            file.seek(offset)
            file.write(f"{offset:08d} {line}\n".encode())
    return folder


@pytest.fixture()
def wordnet(tmp_path: Path) -> Path:
    """A tabby and its hypernyms; a hyponym and a part are pointers not to be followed."""
    return write_nouns(
        tmp_path,
        {
            15388: "03 n 01 animal 0 000 | a living thing",
            2120997: "05 n 02 feline 0 felid 0 001 @ 02075296 n 0000 | a cat",
            2075296: "05 n 01 carnivore 0 001 @ 00015388 n 0000 | flesh-eater",
            2121620: "05 n 01 cat 0 002 @ 02120997 n 0000 ~ 02124623 n 0000 | a cat",
            2123045: "05 n 02 tabby 0 tabby_cat 0 002 @ 02121620 n 0000 #p 09999999 n 0000 | grey",
        },
    )


def test_nouns_are_everyday_hypernyms_nearest_first(wordnet: Path) -> None:
    nouns = nouns_for("n02123045", "tabby, tabby cat, Felis catus", wordnet)
    assert nouns == Nouns("tabby", ("tabby cat",), ("cat", "feline", "animal", "creature"), "fur")


def test_the_name_itself_is_no_coarse_noun(wordnet: Path) -> None:
    assert nouns_for("n02123045", "cat, moggy", wordnet).coarse == ("feline", "animal", "creature")


def test_another_wordnet_is_refused(wordnet: Path) -> None:
    with pytest.raises(ValueError, match=r"WordNet 3\.0"):
        nouns_for("n02123046", "tabby", wordnet)


def test_the_table_of_nouns_is_sound() -> None:
    scholarly = {"placental", "vertebrate", "chordate", "instrumentality", "artifact", "whole"}
    for offset, (kind, nouns) in COARSE.items():
        assert re.fullmatch(r"\d{8}", offset)
        assert kind in phrases.COVERS, offset
        assert nouns and not scholarly & {*nouns}, offset
        assert all(re.fullmatch(r"[a-z]+([ -][a-z]+)*", noun) for noun in nouns), offset


def test_number_of_nouns() -> None:
    assert [number(noun) for noun in ("binoculars", "ice cream", "cat")] == [
        "plural",
        "mass",
        "count",
    ]
    assert not PLURAL & MASS
