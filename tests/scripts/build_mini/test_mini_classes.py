from pathlib import Path

import pytest

from scripts.build_mini.classes import FILE, PhotoClass, read_classes, split_classes, with_article

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_the_split_of_two_hundred_classes() -> None:
    names = [f"class {index}" for index in range(200)]
    mission = names[3::8]
    split = split_classes(names, mission)
    assert {names[i] for i in split.mission} == set(mission)
    assert len(split.kept_out) == 20
    assert not set(split.kept_out) & set(split.mission)
    assert sorted({*split.seen, *split.kept_out}) == list(range(200))
    assert not set(split.seen) & set(split.kept_out)
    assert set(split.mission) <= set(split.seen)


def test_mission_classes_are_in_the_order_of_their_names() -> None:
    assert split_classes(["b", "c", "a"], ["a", "b"]).mission == (2, 0)


def test_a_mission_class_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="zebra"):
        split_classes(["lion"], ["zebra"])


def test_reading_the_table(tmp_path: Path) -> None:
    path = tmp_path / "classes.tsv"
    path.write_text("wnid\tname\tsynonyms\nn02129165\tlion\tlion, king of beasts, Panthera leo\n")
    assert read_classes(path) == [
        PhotoClass("n02129165", "lion", ("lion", "king of beasts", "Panthera leo"))
    ]
    assert read_classes(path)[0].offset == "02129165"


@pytest.mark.skipif(not (DATA / FILE).exists(), reason="needs the photos' class table")
def test_the_real_classes_kept_out() -> None:
    names = [each.name for each in read_classes(DATA / FILE)]
    poster = ["Egyptian cat", "European fire salamander", "apron", "banana", "beer bottle"]
    split = split_classes(names, poster)
    assert len(names) == 200
    assert [names[i] for i in split.mission] == poster


def test_articles() -> None:
    said = [with_article(noun) for noun in ("apron", "Egyptian cat", "lion")]
    assert said == ["an apron", "an Egyptian cat", "a lion"]
