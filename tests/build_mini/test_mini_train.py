import random
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.bank import Bank
from scripts.build_mini.cache import Cache
from scripts.build_mini.classes import Split
from scripts.build_mini.losses import Teacher, Temperatures, Weights
from scripts.build_mini.train import Cycle, accuracy, lesson, optimiser, run_cycle
from scripts.build_mini.vision import End, tokens_before_end

SPLIT = Split(mission=(0,), kept_out=(3,), seen=(0, 1, 2))
CYCLE = Cycle(
    photos=60, epochs=600, rate=3e-3, patches=12,
    weights=Weights(hypernyms=0.5, nearness=0.5, captions=0.4, described=0.3, bare=0.5),
)  # fmt: skip


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


def teacher() -> Teacher:
    torch.manual_seed(0)
    is_a = torch.tensor([[True, False], [True, False], [False, True], [False, True]])
    names = unit(4, 32)
    texts = [names[k : k + 1] for k in range(4)]
    bank = Bank(names, names, texts, texts, unit(2, 32), is_a, [[0], [0], [1], [1]])
    return Teacher(bank, [0, 1, 2], unit(30, 32).half())


def cache(vit: Any) -> Cache:
    """Photos of four classes, each a colour."""
    labels = np.arange(60) % 4
    colours = torch.randn(4, 3, 1, 1) * 2
    images = colours[labels] + 0.3 * torch.randn(60, 3, 32, 32)
    with torch.no_grad():
        tokens = tokens_before_end(vit, images).half().numpy()
    nothing = np.zeros((60, 4, 4, 3), np.uint8)
    return Cache(tokens, nothing, np.zeros((60, 4), np.float32), labels)


def test_what_each_photo_is_for() -> None:
    labels = (np.arange(400) % 4).tolist()
    found = lesson(labels, SPLIT)
    assert {labels[i] for i in found.training} == {labels[i] for i in found.seen} == {0, 1, 2}
    assert [labels[i] for i in found.kept_out] == [3] * 100
    assert sorted(found.training + found.seen + found.kept_out) == list(range(400))
    assert lesson(labels, SPLIT) == found


def test_a_cycle_teaches_the_seen_classes(vit: Any) -> None:
    random.seed(0)
    end, photos, knows = End(vit).requires_grad_(True), cache(vit), teacher()
    training = lesson(photos.labels.tolist(), SPLIT).training
    untouched = [p.clone() for p in vit.transformer.resblocks[0].parameters()]
    before = accuracy(end, photos, training, knows.bank.names, [0, 1, 2])
    average = run_cycle(end, Temperatures(), CYCLE, photos, knows, SPLIT)
    after = accuracy(average, photos, training, knows.bank.names, [0, 1, 2])
    assert before < 0.7 and after > 0.9
    for old, new in zip(untouched, vit.transformer.resblocks[0].parameters(), strict=True):
        assert torch.equal(old, new)


def test_groups_of_the_optimiser(vit: Any) -> None:
    end, scales = End(vit), Temperatures()
    adam, rates = optimiser(end, scales, 1e-4)
    grouped = [p for group in adam.param_groups for p in group["params"]]
    assert {id(p) for p in grouped} == {id(p) for p in [*end.parameters(), *scales.parameters()]}
    assert len(grouped) == len({id(p) for p in grouped})
    assert rates == [1e-4, 1e-4, 8e-4, 1e-3]
    decaying = [p for g in adam.param_groups if g["weight_decay"] for p in g["params"]]
    assert all(p.ndim > 1 for p in decaying)
