import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.bank import Bank
from scripts.build_mini.cache import Album
from scripts.build_mini.classes import Split
from scripts.build_mini.cycles import Cycle
from scripts.build_mini.examining import accuracy, found_sentence, whole
from scripts.build_mini.head_fit import fit_head
from scripts.build_mini.lessons import Deck, Look, inside, look
from scripts.build_mini.losses import Scales, Sentences, Teacher, Weights
from scripts.build_mini.places import Places
from scripts.build_mini.shares import Material, Plan, plan_again, plan_people, plan_things
from scripts.build_mini.tags import Tags
from scripts.build_mini.train import optimiser, run_cycle
from scripts.build_mini.vision import End, tokens_before_end

SPLIT = Split(mission=(0,), kept_out=(3,), seen=(0, 1, 2))
CYCLE = Cycle(
    steps=80, rate=3e-3, patches=12, things=128, people=88,
    weights=Weights(
        hypernyms=0.5, nearness=0.5, sentences=0.4, tags=0.05, inside=0.3, described=0.3, bare=0.5
    ),
)  # fmt: skip
PEOPLE_PHOTOS = 20


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


def teacher() -> Teacher:
    torch.manual_seed(0)
    is_a = torch.tensor([[True, False], [True, False], [False, True], [False, True]])
    names = unit(4, 32)
    texts = [names[k : k + 1] for k in range(4)]
    bank = Bank(names, names, texts, texts, unit(2, 32), is_a, [[0], [0], [1], [1]])
    tags = Tags([["a"], ["b"], ["c"]], [unit(1, 32) for _ in range(3)], torch.rand(20, 3).half())
    people = Sentences(unit(5 * PEOPLE_PHOTOS, 32).half(), torch.arange(PEOPLE_PHOTOS + 1) * 5)
    stamps = Sentences(unit(6, 32).half(), torch.tensor([0, 1, 3, 6]))
    return Teacher(bank, [0, 1, 2], unit(60, 32).half(), people, stamps, tags, frozenset((1,)))


def album(vit: Any, labels: np.ndarray, kinds: int, patches: int | None = None) -> Album:
    """Views of subjects, each a colour, which is the same in every album of so many kinds."""
    colours = torch.randn(kinds, 3, 1, 1, generator=torch.Generator().manual_seed(kinds)) * 2
    images = colours[labels] + 0.3 * torch.randn(len(labels), 3, 32, 32)
    kept = None if patches is None else range(patches)
    with torch.no_grad():
        tokens = tokens_before_end(vit, images, kept).half().numpy()
    nothing = np.zeros((len(labels), 4, 4, 3), np.uint8)
    places = np.tile(np.arange(tokens.shape[1] - 1, dtype=np.uint8), (len(labels), 1))
    left = np.tile(np.array([0, 0, 0.15, 1], np.float32), (len(labels), 1))
    return Album(tokens, places, nothing, left, labels)


def material(vit: Any) -> Material:
    things, humans = np.arange(60) % 4, np.arange(2 * PEOPLE_PHOTOS) % PEOPLE_PHOTOS
    plain, varied, again, cut = (album(vit, things, 4, n) for n in (None, 8, 8, 8))
    people, people_varied = (album(vit, humans, PEOPLE_PHOTOS, n) for n in (None, 8))
    shown = plan_things(things.tolist(), SPLIT, 3)
    rows = {
        Places.THINGS: shown,
        Places.THINGS_VARIED: plan_things(things.tolist(), SPLIT, 0),
        Places.THINGS_AGAIN: plan_again(
            things.tolist(), SPLIT, plan_things(things.tolist(), SPLIT, 3)
        ),
        Places.THINGS_PASTED: plan_things(things.tolist(), SPLIT, 0),
        Places.PEOPLE: plan_people(humans.tolist(), 2),
        Places.PEOPLE_VARIED: plan_people(humans.tolist(), 2),
        Places.STAMPS: Plan([0, 1, 2], []),
    }
    kept_out = (things == 3).nonzero()[0].tolist()
    return Material(
        (plain, varied, again, cut),
        (people, people_varied),
        album(vit, np.arange(3), 3),
        rows,
        kept_out,
    )


def test_what_each_thing_is_for() -> None:
    labels = (np.arange(400) % 4).tolist()
    found = plan_things(labels, SPLIT, 1000)
    assert {labels[i] for i in found.training} == {labels[i] for i in found.held} == {0, 1, 2}
    assert len(found.held) == 30 and len(set(found.training + found.held)) == 300
    assert plan_things(labels, SPLIT, 1000) == found


def test_no_view_of_a_held_back_photo_is_trained_on() -> None:
    labels = [*range(50), *range(50)]
    found = plan_people(labels, 5)
    assert {labels[i] for i in found.training} == set(range(45))
    assert found.held == [45, 46, 47, 48, 49]


def test_a_deck_deals_every_row_before_any_again() -> None:
    deck = Deck([1, 2, 3])
    assert sorted(deck.draw(3)) == sorted(deck.draw(3)) == [1, 2, 3]
    assert len(deck.draw(7)) == 7


def test_attention_is_counted_in_the_boxes_that_are_shown() -> None:
    patches = np.array([[0, 1, 11], [0, 1, 11], [5, 6, 99]], np.uint8)  # of 10 x 10
    attention = torch.tensor([[0.2, 0.3, 0.4], [0.2, 0.3, 0.4], [0.1, 0.1, 0.1]])
    boxes = np.array([[0, 0, 0.15, 0.1], [0.1, 0, 0.2, 0.2], [0, 0, 0.15, 0.1]], np.float32)
    found = inside(Look(torch.zeros(3, 8), attention, patches), boxes)
    # Patch 0 and half of patch 1; patches 1 and 11; of the third photo nothing of the box is left.
    assert found.tolist() == pytest.approx([0.35 / 0.9, 0.7 / 0.9], rel=1e-5)


def test_a_look_knows_its_patches(vit: Any) -> None:
    shown = album(vit, np.arange(3), 3)
    np.random.seed(0)
    found = look(End(vit), shown, np.array([0, 2]), 5)
    np.random.seed(0)
    kept = np.sort(np.random.permutation(16)[:5])
    assert found.patches.tolist() == [kept.tolist()] * 2
    assert found.z.shape == (2, 32) and found.attention.shape == (2, 5)


def test_own_sentences_among_the_nearest() -> None:
    sentences = Sentences(torch.eye(6).half(), torch.tensor([0, 2, 4, 6]))
    z = torch.stack([torch.eye(6)[1], torch.eye(6)[0]])
    assert found_sentence(z, np.array([0, 1]), sentences, 1) == 0.5
    assert found_sentence(z[:1], np.array([0]), sentences, 1) == 1


def test_a_cycle_teaches_the_seen_classes_and_goes_on_where_it_stopped(
    vit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    of, knows = material(vit), teacher()
    end = End(vit).requires_grad_(True)
    plain, training = of.things[0], of.rows[Places.THINGS].training
    untouched = [p.clone() for p in vit.transformer.resblocks[0].parameters()]

    def right(network: End) -> float:
        names = knows.bank.names
        return accuracy(whole(network, plain, training), plain.labels[training], names, [0, 1, 2])

    before = right(end)
    kept = tmp_path / "kept.pt"
    average = run_cycle(end, Scales(knows.tags), CYCLE, of, knows, SPLIT, kept)
    assert before < 0.7 and right(average) > 0.9
    for old, new in zip(untouched, vit.transformer.resblocks[0].parameters(), strict=True):
        assert torch.equal(old, new)
    capsys.readouterr()
    again = run_cycle(End(vit), Scales(knows.tags), CYCLE, of, knows, SPLIT, kept)
    assert "step" not in capsys.readouterr().out  # nothing was left to do
    for a, b in zip(average.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_fitted_head_is_better_than_chance(vit: Any) -> None:
    of, knows, end = material(vit), teacher(), End(vit)
    fit_head(end, of, knows)
    plain, rows = of.things[0], of.rows[Places.THINGS].training
    found = accuracy(whole(end, plain, rows), plain.labels[rows], knows.bank.names, [0, 1, 2])
    assert found > 0.8


def test_groups_of_the_optimiser(vit: Any) -> None:
    end, scales = End(vit), Scales(teacher().tags)
    adam, rates = optimiser(end, scales, 1e-4)
    grouped = [p for group in adam.param_groups for p in group["params"]]
    assert {id(p) for p in grouped} == {id(p) for p in [*end.parameters(), *scales.parameters()]}
    assert len(grouped) == len({id(p) for p in grouped})
    assert rates == [1e-4, 1e-4, 4e-4, 1e-3]
    decaying = [p for g in adam.param_groups if g["weight_decay"] for p in g["params"]]
    assert all(p.ndim > 1 for p in decaying)
