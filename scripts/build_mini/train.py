"""Train the end of the vision transformer on the cache, against MiniLM's embeddings of texts.

Three cycles, which are averaged in the end: a long one on few patches, a short one on
more, and one that is above all about things, which take longer to learn than people.
The kept-out classes, the last photos of every class and Flickr8k's dev photos are never shown, the
poster's photos never read. A run that was cut off goes on from its last examination.
"""

import copy
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from scripts.build_mini.classes import FILE, Split, read_classes, split_classes
from scripts.build_mini.cycles import FIRST, SECOND, THIRD, Cycle
from scripts.build_mini.examining import examine
from scripts.build_mini.head_fit import fit_head
from scripts.build_mini.lessons import Reader
from scripts.build_mini.losses import Scales, Teacher
from scripts.build_mini.photos import mission_names
from scripts.build_mini.places import (
    Places,
    add_data,
    add_stamps,
    add_threads,
    add_wordnet,
    parser,
)
from scripts.build_mini.shares import Material, gather
from scripts.build_mini.teaching import load_teacher
from scripts.build_mini.vision import End, build_vit, save_end

WEIGHT_DECAY = 0.05
HEAD_RATE = 4.0
"""The head is fitted to the untrained features and learns faster than the blocks."""

SCALE_RATE = 1e-3
AVERAGE = 0.998
"""Decay of the running average of the weights, which is what is kept."""

_EXAMS = 5


def optimiser(end: End, scales: Scales, rate: float) -> tuple[torch.optim.AdamW, list[float]]:
    """AdamW without decay for norms, biases and scales; also the largest rate of each group."""
    body = [parameter for part in list(end)[:-1] for parameter in part.parameters()]
    groups = [
        ([p for p in body if p.ndim > 1], rate, WEIGHT_DECAY),
        ([*(p for p in body if p.ndim < 2), end.head.bias], rate, 0.0),
        ([end.head.weight], rate * HEAD_RATE, WEIGHT_DECAY),
        (list(scales.parameters()), SCALE_RATE, 0.0),
    ]
    rates = [each for _, each, _ in groups]
    return torch.optim.AdamW(
        [{"params": p, "lr": each, "weight_decay": decay} for p, each, decay in groups], fused=True
    ), rates


def run_cycle(
    end: End,
    scales: Scales,
    cycle: Cycle,
    material: Material,
    teacher: Teacher,
    split: Split,
    kept: Path,
) -> End:
    """Train `end` and `scales` in place; return the running average of the end.

    `kept` is written at every examination, and read where it is there already.
    """
    adam, rates = optimiser(end, scales, cycle.rate)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        adam, max_lr=rates, total_steps=cycle.steps, pct_start=0.1, final_div_factor=50
    )
    average, reader = copy.deepcopy(end).requires_grad_(False), Reader(material)
    state = {"end": end, "scales": scales, "adam": adam, "plan": plan, "average": average}
    begin = _resume(state, kept)
    started = time.monotonic()
    for step in range(begin, cycle.steps):
        batch = reader.lesson(end, cycle)
        loss = teacher.loss(batch, scales, cycle.weights)
        adam.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(end.parameters(), 1.0)
        adam.step()
        plan.step()
        _follow(average, end, min(AVERAGE, (2 + step) / (11 + step)))
        if (step + 1) % max(1, cycle.steps // _EXAMS) == 0:
            told = examine(average, material, teacher, split)
            spent = time.monotonic() - started
            print(
                f"step {step + 1} of {cycle.steps}: loss {loss.item():.3f}, {told}, {spent:.0f} s",
                flush=True,
            )
            torch.save({"step": step + 1, **{k: v.state_dict() for k, v in state.items()}}, kept)
        elif step % 20 == 0:
            spent = time.monotonic() - started
            print(f"step {step + 1}: loss {loss.item():.3f}, {spent:.0f} s", flush=True)
    return average


def _resume(state: dict[str, object], kept: Path) -> int:
    """Load what was kept of a run that was cut off; return the step to go on from."""
    if not kept.exists():
        return 0
    found = torch.load(kept, weights_only=True)
    for name, part in state.items():
        part.load_state_dict(found[name])  # type: ignore[attr-defined]
    return int(found["step"])


@torch.no_grad()
def _follow(average: nn.Module, current: nn.Module, decay: float) -> None:
    for kept, new in zip(average.parameters(), current.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_stamps(options)
    add_threads(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    places = Places(given.work)
    names = [each.name for each in read_classes(given.data / FILE)]
    split = split_classes(names, mission_names(places.photos))
    teacher = load_teacher(places, given.data, given.wordnet, given.stamps, split)
    material = gather(places.cache, split)
    end, scales = End(build_vit(places.vit)).requires_grad_(True), Scales(teacher.tags)
    fit_head(end, material, teacher)
    print(f"fitted head: {examine(end, material, teacher, split)}", flush=True)
    for cycle, path in zip((FIRST, SECOND, THIRD), places.cycles, strict=True):
        kept = path.with_suffix(".part.pt")
        average = run_cycle(end, scales, cycle, material, teacher, split, kept)
        save_end(average, scales.classes.item(), path)
        end.load_state_dict(average.state_dict())


if __name__ == "__main__":
    main()
