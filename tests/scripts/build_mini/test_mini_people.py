from pathlib import Path

import pytest

from scripts.build_mini.people import (
    Described,
    read_described,
    shows_human,
    tidy_sentence,
)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('A "big" Dog runs .\n', "a big dog runs."),
        ("Look ,  a cat !", "look, a cat!."),
        ("no stop", "no stop."),
    ],
)
def test_sentences_are_written_like_captions(line: str, sentence: str) -> None:
    assert tidy_sentence(line) == sentence


def test_the_table_by_photo(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    rows = ['b.jpg\ttrain\tA "Dog" .', "a.jpg\tdev\tA man", "b.jpg\ttrain\tTwo dogs"]
    path.write_text("\n".join(["image\tsplit\tcaption", *rows]))
    dog = Described("b.jpg", "train", ("a dog.", "two dogs."))
    assert read_described(path, "train") == [dog]
    assert read_described(path) == [Described("a.jpg", "dev", ("a man.",)), dog]


def test_what_the_sentences_agree_on() -> None:
    said = {True: ("a man.", "a boy."), False: ("a dog.", "a cat."), None: ("a man.", "a dog.")}
    for agreed, sentences in said.items():
        assert shows_human(Described("x", "dev", sentences)) is agreed
