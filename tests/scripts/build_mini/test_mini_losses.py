import math
import random

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini import losses
from scripts.build_mini.bank import Bank
from scripts.build_mini.losses import Lesson, Scales, Sentences, Teacher, Weights
from scripts.build_mini.tags import Tags

NONE = Weights(hypernyms=0, nearness=0, sentences=0, tags=0, inside=0, described=0, bare=1)


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


@pytest.fixture
def teacher() -> Teacher:
    torch.manual_seed(0)
    is_a = torch.tensor([[True, True, False], [False] * 3, [False] * 3, [False] * 3])
    texts = [unit(2, 8) for _ in range(4)]
    bank = Bank(unit(4, 8), unit(4, 8), texts, texts, unit(3, 8), is_a, [[0, 1], [], [], []])
    people = Sentences(unit(4, 8).half(), torch.tensor([0, 1, 2, 3, 4]))
    stamps = Sentences(unit(2, 8).half(), torch.tensor([0, 1, 2]))
    true = torch.tensor([[1.0, 0.0, 0.5]] * 4).half()
    tags = Tags([["a"], ["b"], ["c"]], [unit(1, 8) for _ in range(3)], true)
    return Teacher(bank, [0, 1, 3], unit(5, 8).half(), people, stamps, tags, frozenset((3,)))


@pytest.fixture
def batch(teacher: Teacher) -> Lesson:
    """Three things, the second without a caption; two photos of people; one stamp."""
    return Lesson(
        unit(6, 8), torch.tensor([0.5, 0.25]), torch.tensor([0, 9, 2]), torch.tensor([3, 0, 0]),
        torch.tensor([1, 3]), torch.tensor([1]),
    )  # fmt: skip


def nll(logits: list[float], true: int) -> float:
    return math.log(sum(math.exp(x) for x in logits)) - logits[true]


def test_the_class_is_told_from_the_other_seen_ones(teacher: Teacher, batch: Lesson) -> None:
    expected = 0.0
    for photo in range(3):
        logits = [float(batch.z[photo] @ teacher.bank.names[k]) / 0.05 for k in (0, 1, 3)]
        true = (2, 0, 0)[photo]
        smooth = sum(nll(logits, k) for k in range(3)) / 3
        expected += (0.9 * nll(logits, true) + 0.1 * smooth) / 3
    found = teacher.loss(batch, Scales(teacher.tags), NONE).item()
    assert found == pytest.approx(expected, rel=1e-4)


def test_each_part_adds_what_it_should(
    teacher: Teacher, batch: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, scales = batch.z, Scales(teacher.tags)
    monkeypatch.setattr(losses, "OTHERS", 7)

    def extra(**parts: float) -> float:
        weights = Weights(**{**vars(NONE), **parts})
        torch.manual_seed(5)
        return (teacher.loss(batch, scales, weights) - plain).item()

    plain = teacher.loss(batch, scales, NONE)
    assert extra(inside=2) == pytest.approx(math.log(2) + math.log(4), rel=1e-3)
    near = [1 - float(z[i] @ teacher.bank.centres[k]) for i, k in enumerate((3, 0, 0))]
    assert extra(nearness=2) == pytest.approx(2 * sum(near) / 3, rel=1e-3)

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

    # Pictures with a sentence: things 0 and 2, both photos of people, the stamp.
    rows = z[[0, 2, 3, 4, 5]]
    texts = torch.cat(
        [teacher.captions[[0, 2]], teacher.people.embeddings[[1, 3]], teacher.stamps.embeddings[1:]]
    ).float()
    torch.manual_seed(5)
    torch.rand(2), torch.rand(1)  # one sentence a photo and a stamp is drawn
    others = torch.randint(4, (7,))
    logits = (rows @ texts.T / 0.07).tolist()
    more = (rows @ teacher.people.embeddings[others].float().T / 0.07).tolist()
    expected = 0.0
    for i in range(5):
        own = {2: 1, 3: 3}.get(i)
        rivals = [x for x, other in zip(more[i], others.tolist(), strict=True) if other != own]
        expected += nll(logits[i] + rivals, i) + nll([row[i] for row in logits], i)
    assert extra(sentences=1) == pytest.approx(expected / 10, rel=1e-3)

    drawn = torch.cat(teacher.tags.embeddings)
    bias = scales.tag_bias.detach()
    expected = 0.0
    for row, wanted in ((3, (1.0, 0.0, 0.5)), (4, (1.0, 0.0, 0.5)), (0, (0.04, 0.96))):
        for tag, y in enumerate(wanted):
            p = 1 / (1 + math.exp(-float(z[row] @ drawn[tag]) * 10 - float(bias[tag])))
            weight = 6 if tag < 2 else 1
            expected -= weight * (y * math.log(p) + (1 - y) * math.log(1 - p))
    assert extra(tags=1) == pytest.approx(expected / 3, rel=1e-3)


def test_a_sentence_is_drawn_from_its_subjects_own() -> None:
    sentences = Sentences(torch.zeros(6, 2), torch.tensor([0, 1, 6]))
    drawn = {tuple(sentences.draw(torch.tensor([0, 1])).tolist()) for _ in range(200)}
    assert drawn == {(0, i) for i in range(1, 6)}
