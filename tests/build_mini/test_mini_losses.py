import math
import random

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.bank import Bank
from scripts.build_mini.losses import Teacher, Temperatures, Weights

NONE = Weights(hypernyms=0, nearness=0, captions=0, described=0, bare=1)
PHOTOS, LABELS = [0, 9, 2], torch.tensor([3, 0, 0])


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


@pytest.fixture
def teacher() -> Teacher:
    torch.manual_seed(0)
    is_a = torch.tensor([[True, True, False], [False] * 3, [False] * 3, [False] * 3])
    texts = [unit(2, 8) for _ in range(4)]
    bank = Bank(unit(4, 8), unit(4, 8), texts, texts, unit(3, 8), is_a, [[0, 1], [], [], []])
    return Teacher(bank, [0, 1, 3], unit(5, 8).half())


def nll(logits: list[float], true: int) -> float:
    return math.log(sum(math.exp(x) for x in logits)) - logits[true]


def test_the_class_is_told_from_the_other_seen_ones(teacher: Teacher) -> None:
    z, scales = unit(3, 8), Temperatures()
    expected = 0.0
    for photo in range(3):
        logits = [float(z[photo] @ teacher.bank.names[k]) / 0.05 for k in (0, 1, 3)]
        true = (2, 0, 0)[photo]
        smooth = sum(nll(logits, k) for k in range(3)) / 3
        expected += (0.9 * nll(logits, true) + 0.1 * smooth) / 3
    assert teacher.loss(z, PHOTOS, LABELS, scales, NONE).item() == pytest.approx(expected, rel=1e-4)


def test_each_part_adds_what_it_should(teacher: Teacher) -> None:
    z, scales = unit(3, 8), Temperatures()

    def extra(**parts: float) -> float:
        weights = Weights(**{**vars(NONE), **parts})
        return (teacher.loss(z, PHOTOS, LABELS, scales, weights) - plain).item()

    plain = teacher.loss(z, PHOTOS, LABELS, scales, NONE)
    near = [1 - float(z[i] @ teacher.bank.centres[k]) for i, k in enumerate(LABELS.tolist())]
    assert extra(nearness=2) == pytest.approx(2 * sum(near) / 3, rel=1e-3)

    texts = teacher.captions.float()[[0, 2]]  # photo 9 has no caption
    logits = (z[[0, 2]] @ texts.T / 0.07).tolist()
    both = [nll(logits[i], i) + nll([row[i] for row in logits], i) for i in range(2)]
    assert extra(captions=1) == pytest.approx(sum(both) / 4, rel=1e-3)

    random.seed(3)
    for _ in teacher.seen:
        random.random()  # a text of each class is drawn first
    expected = 0.0
    for photo in (1, 2):  # class 3 has no hypernym
        true = random.choice([0, 1])  # and the other right one is no rival
        logit = [float(z[photo] @ teacher.bank.hypernyms[h]) / 0.05 for h in range(3)]
        expected += nll([logit[true], logit[2]], 0) / 2
    random.seed(3)
    assert extra(hypernyms=1) == pytest.approx(expected, rel=1e-3)
