"""Train the end of the vision transformer on the cache, against MiniLM's embeddings of texts.

Two cycles, whose weights are averaged in the end: the first opens the space with hypernyms,
captions and a strong pull to the class's texts, the second sharpens bare names on more photos. The
kept-out classes are never shown, the poster's photos never read.
"""

import copy
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.build_mini.bank import build_bank
from scripts.build_mini.cache import Cache, open_cache
from scripts.build_mini.classes import FILE, Split, read_classes, split_classes
from scripts.build_mini.losses import Teacher, Temperatures, Weights
from scripts.build_mini.minilm import MiniLM
from scripts.build_mini.photos import mission_names
from scripts.build_mini.places import Places, add_data, add_threads, add_wordnet, parser
from scripts.build_mini.synsets import read_synsets
from scripts.build_mini.vision import End, build_vit, save_end

BATCH = 192
WEIGHT_DECAY = 0.05
HEAD_RATE = 8.0
"""The head starts from nothing and learns so much faster than the blocks."""
TEMPERATURE_RATE = 1e-3
AVERAGE = 0.998
"""Decay of the running average of the weights, which is what is kept."""
EXAMINED = 1_800, 2_400
"""Photos of seen and of kept-out classes that the log's accuracies are measured on."""
_EXAMS = 4


@dataclass(frozen=True)
class Cycle:
    """One pass of the learning rate up and down."""

    photos: int
    """Uses the first so many of the cache."""
    epochs: float
    rate: float
    patches: int
    """Patches, of 64, that are left in for a step."""
    weights: Weights


FIRST = Cycle(
    photos=36_864,
    epochs=4,
    rate=1.2e-4,
    patches=36,
    weights=Weights(hypernyms=0.5, nearness=0.7, captions=0.4, described=0.3, bare=0.0),
)
SECOND = Cycle(
    photos=50_000,
    epochs=1.5,
    rate=1e-4,
    patches=44,
    weights=Weights(hypernyms=0.25, nearness=0.4, captions=0.3, described=0.15, bare=0.4),
)


@dataclass(frozen=True)
class Lesson:
    """The photos of a cycle, by their numbers in the cache."""

    training: list[int]
    seen: list[int]
    """Photos of seen classes, left out to be examined on."""
    kept_out: list[int]


def lesson(labels: Sequence[int], split: Split) -> Lesson:
    """Share out the photos; the same way every time."""
    kept_out = frozenset(split.kept_out)
    training = [i for i, label in enumerate(labels) if label not in kept_out]
    random.Random(1).shuffle(training)
    held = min(EXAMINED[0], len(training) // 10)
    unseen = [i for i, label in enumerate(labels) if label in kept_out]
    return Lesson(training[held:], training[:held], unseen[: EXAMINED[1]])


@torch.inference_mode()
def accuracy(
    end: End, cache: Cache, photos: Sequence[int], names: Tensor, among: list[int]
) -> float:
    """Top-1 of photos among some classes by their bare names."""
    right = 0
    for start in range(0, len(photos), BATCH):
        rows = np.array(photos[start : start + BATCH])
        best = (end(cache.inputs(rows)) @ names[among].T).argmax(1)
        right += int((np.array(among)[best.numpy()] == cache.labels[rows]).sum())
    return right / max(1, len(photos))


def optimiser(end: End, scales: Temperatures, rate: float) -> tuple[torch.optim.AdamW, list[float]]:
    """AdamW without decay for norms, biases and scales; also the largest rate of each group."""
    body = [parameter for part in list(end)[:-1] for parameter in part.parameters()]
    groups = [
        ([p for p in body if p.ndim > 1], rate, WEIGHT_DECAY),
        ([*(p for p in body if p.ndim < 2), end.head.bias], rate, 0.0),
        ([end.head.weight], rate * HEAD_RATE, WEIGHT_DECAY),
        (list(scales.parameters()), TEMPERATURE_RATE, 0.0),
    ]
    rates = [each for _, each, _ in groups]
    return torch.optim.AdamW(
        [{"params": p, "lr": each, "weight_decay": decay} for p, each, decay in groups]
    ), rates


def run_cycle(
    end: End, scales: Temperatures, cycle: Cycle, cache: Cache, teacher: Teacher, split: Split
) -> End:
    """Train `end` and `scales` in place; return the running average of the end."""
    photos = lesson(cache.labels[: cycle.photos].tolist(), split)
    steps = max(1, int(cycle.epochs * len(photos.training) / BATCH))
    adam, rates = optimiser(end, scales, cycle.rate)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        adam, max_lr=rates, total_steps=steps, pct_start=0.1, final_div_factor=50
    )
    average = copy.deepcopy(end).requires_grad_(False)
    started = time.monotonic()
    for step, rows in enumerate(_batches(photos.training, steps)):
        patches = np.sort(np.random.permutation(cache.tokens.shape[1] - 1)[: cycle.patches])
        tokens = cache.inputs(np.array(rows))[:, [0, *(1 + patches)]]
        labels = torch.from_numpy(cache.labels[rows])
        z = F.normalize(end(tokens), dim=1)
        loss = teacher.loss(z, rows, labels, scales, cycle.weights)
        adam.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(end.parameters(), 1.0)
        adam.step()
        plan.step()
        _follow(average, end, min(AVERAGE, (2 + step) / (11 + step)))
        if (step + 1) % max(1, steps // _EXAMS) == 0:
            names = teacher.bank.names
            seen = accuracy(average, cache, photos.seen, names, list(split.seen))
            unseen = accuracy(average, cache, photos.kept_out, names, list(split.kept_out))
            print(
                f"step {step + 1} of {steps}: loss {loss.item():.3f}, "
                f"seen classes {seen:.3f}, kept-out classes {unseen:.3f}, "
                f"{time.monotonic() - started:.0f} s",
                flush=True,
            )
    return average


def _batches(photos: list[int], steps: int) -> list[list[int]]:
    """Full batches, shuffled anew for every epoch."""
    batches: list[list[int]] = []
    size = min(BATCH, len(photos))
    while len(batches) < steps:
        random.shuffle(photos)
        batches += [photos[k : k + size] for k in range(0, len(photos) - size + 1, size)]
    return batches[:steps]


@torch.no_grad()
def _follow(average: nn.Module, current: nn.Module, decay: float) -> None:
    for kept, new in zip(average.parameters(), current.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)


def load_teacher(places: Places, data: Path, wordnet: Path, split: Split) -> Teacher:
    """Embed all texts."""
    bank = build_bank(
        MiniLM(places.minilm).encode, read_classes(data / FILE), read_synsets(wordnet), split.seen
    )
    captions = torch.from_numpy(np.load(places.caption_embeddings, allow_pickle=False))
    return Teacher(bank, list(split.seen), captions)


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_threads(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    places = Places(given.work)
    names = [each.name for each in read_classes(given.data / FILE)]
    split = split_classes(names, mission_names(places.photos))
    teacher = load_teacher(places, given.data, given.wordnet, split)
    cache = open_cache(places.cache)
    end, scales = End(build_vit(places.vit)).requires_grad_(True), Temperatures()
    for cycle, path in zip((FIRST, SECOND), places.cycles, strict=True):
        average = run_cycle(end, scales, cycle, cache, teacher, split)
        save_end(average, scales.classes.item(), path)
        end.load_state_dict(average.state_dict())
        scales.restart_captions()


if __name__ == "__main__":
    main()
