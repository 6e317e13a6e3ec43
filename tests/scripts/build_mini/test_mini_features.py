import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mapcap.texts.humans import names_human
from scripts.build_mini.appearance import Appearance, Colour, Nouns
from scripts.build_mini.evaluate_words import read_judged
from scripts.build_mini.features import Eye, Pair, nearest_phrases, read_pairs, write_pairs
from scripts.build_mini.probe import (
    FALSE,
    MISSED,
    Probe,
    fit_probe,
    load_probe,
    read_labelled,
)
from scripts.build_mini.reading import MIXTURE, Pairs, beside_human, kind_of

LOOK = Appearance(
    (Colour("red", "red", 0.9),), (), (), "", "", "", "", "", "", largest=("red", "blue")
)
PAIRS = [
    Pair(texts=("a dog.", "two dogs.")),
    Pair(texts=("the snow.",)),
    Pair(look=LOOK, label=1),
    Pair(look=LOOK, label=1, human="a man"),
    Pair(look=LOOK, stamp=0),
    Pair(texts=("green grass.", "a green lawn."), beside=True),
]


def test_pairs_come_back_from_the_file(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", PAIRS)
    assert read_pairs(tmp_path / "pairs.jsonl") == PAIRS


def test_every_pair_has_its_place_in_the_mixture() -> None:
    assert [kind_of(pair) for pair in PAIRS] == [
        "people", "phrases", "things", "with humans", "stamps", "grounds",
    ]  # fmt: skip
    assert sum(MIXTURE.values()) == pytest.approx(1)


def test_what_is_said_of_pairs() -> None:
    rng = random.Random(0)
    pairs = Pairs(PAIRS, [Nouns("x", (), ()), Nouns("lemon", (), ())], [Nouns("moon", (), ())])
    said = [{pairs.say(pair, rng) for _ in range(60)} for pair in PAIRS]
    assert said[0] == {"a dog.", "two dogs."} and said[1] == {"the snow."}
    assert all("red" in text and "lemon" in text for text in said[2] | said[3])
    assert all("red" in text and "moon" in text for text in said[4])
    assert said[5] == {"green grass.", "a green lawn."}
    assert all(names_human(text) and text.startswith("a man ") for text in said[3])
    assert not any(map(names_human, said[2] | said[4]))


@pytest.mark.parametrize(
    ("text", "kind", "links"),
    [
        ("a red coat.", "cloth", {"wearing", "and"}),
        ("a red stick.", "object", {"with", "and"}),
        ("the stick is red.", "object", {"and"}),
    ],
)
def test_how_a_human_is_joined(text: str, kind: str, links: set[str]) -> None:
    rng = random.Random(0)
    found = {beside_human(text, "a boy", kind, rng) for _ in range(60)}
    assert found == {f"a boy {link} {text}" for link in links}


def test_a_region_takes_the_phrase_that_is_clearly_nearest() -> None:
    embedded = dict(zip(("a dog", "the snow", "a hat"), torch.eye(4), strict=False))
    regions = torch.tensor([[3.0, 1, 0, 0], [1, 3, 0, 0], [1, 1, 0, 0.1], [1, 1, 1, 1]])
    phrases = [("a dog", "the snow")] * 3 + [()]
    assert nearest_phrases(regions, phrases, embedded) == ["a dog", "the snow", "", ""]


def gaussians(*middles: torch.Tensor) -> list[torch.Tensor]:
    return [middle + torch.randn(400, 16) for middle in middles]


def test_the_probe_tells_humans_where_somebody_looked(tmp_path: Path) -> None:
    torch.manual_seed(0)
    a, b, c, d, e = F.normalize(torch.randn(5, 16), dim=1) * 4
    humans, nobody, animals, held, unheld = gaussians(a, b, c, d + a / 3, e + a / 3)
    labelled = torch.cat([held[:200], unheld[:200]])
    shown = torch.arange(400) < 200
    probe = fit_probe(humans[:200], nobody[:200], animals[:200], labelled, shown)
    assert probe.sees(humans[200:]).float().mean() > 0.85
    assert probe.sees(held[200:]).float().mean() > 0.8
    assert probe.sees(nobody[200:]).float().mean() < 0.1
    assert probe.sees(animals[:200]).float().mean() <= FALSE
    assert probe.sees(unheld[200:]).float().mean() < 2 * FALSE
    scaled = probe.score(5 * humans)
    assert torch.allclose(scaled, probe.score(humans), atol=1e-5)

    verdicts = probe.verdicts(torch.cat([held[200:], unheld[200:]]))
    assert [v is True for v in verdicts] == probe.sees(
        torch.cat([held, unheld])[torch.arange(800) % 400 >= 200]
    ).tolist()
    assert verdicts[:200].count(False) < 2 * MISSED * 200 < verdicts[200:].count(False)

    probe.save(tmp_path / "probe.pt")
    again = load_probe(tmp_path / "probe.pt")
    assert torch.equal(again.weight, probe.weight) and again.threshold == probe.threshold


def test_what_somebody_saw_outweighs_the_probe() -> None:
    probe = Probe(torch.tensor([1.0, 0.0]), 0.0, 0.5, -0.5)
    z, rows = torch.tensor([[1.0, 0.0], [0.0, 1.0]] * 3), np.arange(6)
    eye = Eye(probe, [None, None, False, False, True, True])
    assert eye.sees(z, rows, whole=True).tolist() == [True, False, False, False, True, True]
    # A human in the photo need not be in this part of it.
    assert eye.sees(z, rows, whole=False).tolist() == [True, False, False, False, True, False]


def test_photos_that_were_looked_at_are_for_training_alone() -> None:
    labelled = read_labelled()
    assert len(labelled) > 900 and 300 < sum(labelled.values()) < 600
    assert not {Path(file).name for file in read_judged()} & set(labelled)


def test_features_are_read_at_the_masks(vit: object) -> None:
    from scripts.build_mini.cache import Album
    from scripts.build_mini.features import read
    from scripts.build_mini.vision import End, tokens_before_end

    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        tokens = tokens_before_end(vit, images).half().numpy()
    nothing = np.zeros((3, 4))
    some = nothing.astype(np.uint8)
    album = Album(tokens, some, some, nothing.astype(np.float32), np.arange(3))
    masks = np.zeros((2, 4, 4), bool)
    masks[:, 1, 2] = True
    end = End(vit).requires_grad_(False)
    whole, part = read(end, album, np.array([2, 0]), [masks])
    # bfloat16, where the processor has it, keeps eight bits.
    exact = end(album.inputs(np.array([2, 0])))
    assert torch.allclose(whole, exact, atol=2**-7 * exact.abs().max().item())
    assert part.shape == whole.shape and not torch.allclose(whole, part, atol=0.05)
