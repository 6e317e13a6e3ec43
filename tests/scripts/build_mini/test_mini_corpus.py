import random
from pathlib import Path

from scripts.build_mini.appearance import Appearance, Colour, Nouns
from scripts.build_mini.corpus import appearance_groups, real_groups, train_tokenizer
from scripts.build_mini.reading import (
    SEQUENCE_TOKENS,
    encode,
    padded,
    sequence,
    sorted_batches,
    text_batches,
)

SENTENCES = ["a brown dog on green grass.", "two yellow lemons against a dark wall."] * 5


def look(colour: str) -> Appearance:
    return Appearance((Colour(colour, colour, 0.9),), (), (), "", "", "", "", "", "")


def test_groups_of_human_sentences(tmp_path: Path) -> None:
    rows = [f"{i // 5}.jpg\t{'dev' if i > 9 else 'train'}\tPhoto {i} ." for i in range(15)]
    table = "\n".join(["image\tsplit\tcaption", *rows])
    (tmp_path / "flickr8k-captions.tsv").write_text(table)
    captions = tmp_path / "clipcap-captions" / "blur"
    captions.mkdir(parents=True)
    (captions / "lion.txt").write_text("a lion on a black background.\na lion in a field.\n\nx\n")
    stamps = tmp_path / "stamps" / "animals"
    stamps.mkdir(parents=True)
    (stamps / "cow.txt").write_text("A cow.\nde.utf8=Eine Kuh.\n", encoding="utf-8")
    (stamps / "empty.txt").write_text("")
    found = real_groups(tmp_path, tmp_path / "stamps", random.Random(0))
    assert found[0] == [f"photo {i}." for i in range(5)]
    assert found[1:] == [[f"photo {i}." for i in range(5, 10)], ["a lion in a field."], ["a cow."]]


def test_groups_of_appearances_speak_of_one_class() -> None:
    looks = [look("brown"), look("green"), look("blue"), look("white")]
    nouns = [Nouns("cat", (), ()), Nouns("dog", (), ())]
    groups = appearance_groups(looks, [0, 1, 0, 1, 0, 1], nouns, random.Random(0), (30, 50))
    assert [len(group) for group in groups] == [3] * 30 + [2] * 50
    for group in groups:
        assert len({"cat" in sentence for sentence in group}) == 1
    for group in groups[30:]:
        named = [next(c for c in ("brown", "green", "blue", "white") if c in s) for s in group]
        assert sorted(named) in (["blue", "brown"], ["green", "white"])


def test_the_tokenizer_reads_sentences_back() -> None:
    tokenizer = train_tokenizer(SENTENCES, vocabulary=300)
    assert tokenizer.bos_token_id == tokenizer.eos_token_id == 0
    (ids,) = encode(tokenizer, [SENTENCES[0]])
    assert tokenizer.decode(ids) == f" {SENTENCES[0]}"
    assert encode(tokenizer, ["x."])[0][-1] == tokenizer.encode(".")[0]  # the stop is one token


def test_sequences_hold_whole_sentences() -> None:
    group = [[1] * 20, [2] * 20, [3] * 20, [4] * 20]
    ids = sequence(group, random.Random(0))
    assert ids[0] == 0 and len(ids) == 61 <= SEQUENCE_TOKENS
    assert sequence([[7] * 70], random.Random(0)) == [0]
    assert sum(map(len, group)) == 80  # the group itself is left as it was


def test_batches_are_of_similar_length() -> None:
    entries = [([0] * length,) for length in range(1, 31)]
    batches = sorted_batches(entries, 10, random.Random(0))
    spans = sorted((len(b[0][0]), len(b[-1][0])) for b in batches)
    assert spans == [(1, 10), (11, 20), (21, 30)]


def test_text_batches_never_end() -> None:
    batches = text_batches([[[1, 2], [3]], [[4]]], random.Random(0))
    drawn = [next(batches) for _ in range(5)]
    assert all(ids[0] == 0 for batch in drawn for (ids,) in batch)


def test_padding() -> None:
    ids, there = padded([[0, 5, 6], [0]])
    assert ids.tolist() == [[0, 5, 6], [0, 0, 0]]
    assert there.tolist() == [[True, True, True], [True, False, False]]
