"""Train the end of the vision transformer on the cache, against MiniLM's embeddings of texts.

Three cycles, which are averaged in the end: a long one on few patches, a short one on
more, and one that is above all about things, which take longer to learn than people.
The kept-out classes, the last photos of every class and Flickr8k's dev photos are never shown, the
poster's photos never read. A run that was cut off goes on from its last examination.
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

from scripts.build_mini import noun_phrases, people
from scripts.build_mini.bank import build_bank
from scripts.build_mini.cache import Album, open_album
from scripts.build_mini.classes import FILE, Split, read_classes, split_classes
from scripts.build_mini.looks import class_nouns
from scripts.build_mini.losses import Lesson, Scales, Sentences, Teacher, Weights
from scripts.build_mini.minilm import MiniLM
from scripts.build_mini.photos import mission_names
from scripts.build_mini.places import (
    Places,
    add_data,
    add_stamps,
    add_threads,
    add_wordnet,
    parser,
)
from scripts.build_mini.stamps import training_stamps
from scripts.build_mini.synsets import read_synsets
from scripts.build_mini.tags import Encode, build_tags
from scripts.build_mini.vision import End, build_vit, half_precision, save_end

STAMPS = 20
"""Renders in a batch."""
WEIGHT_DECAY = 0.05
HEAD_RATE = 4.0
"""The head is fitted to the untrained features and learns faster than the blocks."""
SCALE_RATE = 1e-3
AVERAGE = 0.998
"""Decay of the running average of the weights, which is what is kept."""
HELD_THINGS, HELD_PEOPLE = 1_200, 300
"""Plain photos of seen classes and photos of people that the log's figures are measured on."""
ANIMALS = frozenset(("fur", "feathers", "scales", "skin", "body", "wings"))
"""Kinds of things that people seldom hold (of fish and shells they are proud)."""
_RIDGE_PHOTOS, _RIDGE = 2_560, 0.03
_EXAMS = 5
_THINGS = (Places.THINGS, Places.THINGS_VARIED, Places.THINGS_AGAIN)
_READ = 192


@dataclass(frozen=True)
class Cycle:
    """One pass of the learning rate up and down."""

    steps: int
    rate: float
    patches: int
    """Patches, of 64 (of a varied view's 32), that are left in for a step."""
    things: int
    """Photos of things in a batch."""
    people: int
    """Photos of people in a batch."""
    weights: Weights


FIRST = Cycle(
    steps=1_500,
    rate=1.8e-4,
    patches=28,
    things=152,
    people=56,
    weights=Weights(hypernyms=0.4, nearness=0.5, sentences=0.6, tags=0.05, described=0.2, bare=0.3),
)
SECOND = Cycle(
    steps=240,
    rate=1.0e-4,
    patches=44,
    things=144,
    people=56,
    weights=Weights(
        hypernyms=0.25, nearness=0.3, sentences=0.5, tags=0.04, described=0.1, bare=0.6
    ),
)


THIRD = Cycle(
    steps=1_200,
    rate=1.3e-4,
    patches=30,
    things=176,
    people=44,
    weights=Weights(
        hypernyms=0.25, nearness=0.3, sentences=0.4, tags=0.04, described=0.1, bare=0.6
    ),
)


@dataclass(frozen=True)
class Plan:
    """Which rows of an album are for training, which are held back."""

    training: list[int]
    held: list[int]


@dataclass(frozen=True)
class Material:
    """The albums, and what of them may be used. Rows of varied things count on after the plain."""

    things: tuple[Album, Album, Album]
    """Plain, varied, and all of them varied once more."""
    people: tuple[Album, Album]
    stamps: Album
    rows: dict[str, Plan]
    """By the albums' names."""
    kept_out: list[int]
    """Plain photos of kept-out classes."""


def plan_things(labels: Sequence[int], split: Split, held: int) -> Plan:
    """Leave out the kept-out classes and hold back some photos; the same way every time."""
    kept_out = frozenset(split.kept_out)
    rows = [row for row, label in enumerate(labels) if label not in kept_out]
    random.Random(1).shuffle(rows)
    held = min(held, len(rows) // 10)
    return Plan(rows[held:], rows[:held])


def plan_again(labels: Sequence[int], split: Split, shown: Plan) -> Plan:
    """Leave out what is held back of the plain views, which show the first photos."""
    back = frozenset(shown.held)
    rows = plan_things(labels, split, 0).training
    return Plan([row for row in rows if row not in back], [])


def plan_people(labels: Sequence[int], held: int) -> Plan:
    """Hold back every view of some photos; of these the first views are listed."""
    first = max(labels) + 1 - min(held, (max(labels) + 1) // 10)
    back = [row for row, label in enumerate(labels) if label >= first]
    return Plan(
        [row for row, label in enumerate(labels) if label < first],
        back[: max(labels) + 1 - first],
    )


def gather(cache: Path, split: Split) -> Material:
    """Open all albums and share out their rows."""
    names = (
        Places.THINGS,
        Places.THINGS_VARIED,
        Places.THINGS_AGAIN,
        Places.PEOPLE,
        Places.PEOPLE_VARIED,
        Places.STAMPS,
    )
    plain, varied, again, humans, humans_varied, stamps = (
        open_album(cache / name) for name in names
    )
    shown = plan_things(plain.labels.tolist(), split, HELD_THINGS)
    rows = {
        Places.THINGS: shown,
        Places.THINGS_VARIED: plan_things(varied.labels.tolist(), split, 0),
        Places.THINGS_AGAIN: plan_again(again.labels.tolist(), split, shown),
        Places.PEOPLE: plan_people(humans.labels.tolist(), HELD_PEOPLE),
        Places.PEOPLE_VARIED: plan_people(humans_varied.labels.tolist(), HELD_PEOPLE),
        Places.STAMPS: Plan(list(range(len(stamps.labels))), []),
    }
    kept_out = np.isin(plain.labels, split.kept_out).nonzero()[0].tolist()
    return Material((plain, varied, again), (humans, humans_varied), stamps, rows, kept_out)


class Deck:
    """Draws rows without end, each once before any comes again."""

    def __init__(self, rows: Sequence[int]) -> None:
        self._rows, self._left = list(rows), list[int]()

    def draw(self, count: int) -> list[int]:
        """Take the next rows."""
        taken: list[int] = []
        while len(taken) < count:
            if not self._left:
                self._left = random.sample(self._rows, len(self._rows))
            taken.append(self._left.pop())
        return taken


class Reader:
    """Makes lessons: plain views in some steps, varied ones in the others, by their numbers."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._decks = {name: Deck(plan.training) for name, plan in material.rows.items()}

    def lesson(self, end: End, cycle: Cycle) -> Lesson:
        """Draw a batch and embed it."""
        of = self._material
        sizes = [len(album.labels) for album in of.things]
        turn = random.choices(range(len(sizes)), sizes)[0]
        thing_rows = self._rows(_THINGS[turn], cycle.things)
        people_varied = random.random() < _share(of.people)
        person_rows = self._rows(
            Places.PEOPLE_VARIED if people_varied else Places.PEOPLE, cycle.people
        )
        stamp_rows = self._rows(Places.STAMPS, STAMPS)
        things, humans = of.things[turn], of.people[people_varied]
        z = torch.cat(
            [
                embed(end, album, rows, cycle.patches)
                for album, rows in (
                    (things, thing_rows),
                    (humans, person_rows),
                    (of.stamps, stamp_rows),
                )
            ]
        )
        return Lesson(
            z,
            torch.from_numpy(thing_rows) + (len(of.things[0].labels) if turn else 0),
            torch.from_numpy(things.labels[thing_rows]),
            torch.from_numpy(humans.labels[person_rows]),
            torch.from_numpy(of.stamps.labels[stamp_rows]),
        )

    def _rows(self, name: str, count: int) -> np.ndarray:
        return np.sort(np.array(self._decks[name].draw(count)))


def _share(albums: tuple[Album, Album]) -> float:
    """Share of the varied views."""
    plain, varied = (len(album.labels) for album in albums)
    return varied / (plain + varied)


def embed(end: End, album: Album, rows: np.ndarray, patches: int) -> Tensor:
    """Embed views by at most so many of their patches: (B, D), L2-normalised."""
    there = album.tokens.shape[1] - 1
    kept = np.sort(np.random.permutation(there)[:patches])
    tokens = torch.from_numpy(album.tokens[rows][:, [0, *(1 + kept)]].astype(np.float32))
    with half_precision():
        z = end(tokens)
    return F.normalize(z.float(), dim=1)


@torch.inference_mode()
def whole(end: End, album: Album, rows: Sequence[int]) -> Tensor:
    """Embed views by all their patches: (B, D), L2-normalised."""
    parts = [np.array(rows[k : k + _READ]) for k in range(0, len(rows), _READ)]
    with half_precision():
        embedded = [end(album.inputs(part)).float() for part in parts]
    return F.normalize(torch.cat(embedded), dim=1)


def accuracy(z: Tensor, labels: np.ndarray, names: Tensor, among: list[int]) -> float:
    """Top-1 of embedded photos among some classes by their bare names."""
    best = (z @ names[among].T).argmax(1).numpy()
    return float((np.array(among)[best] == labels).mean())


def found_sentence(z: Tensor, subjects: np.ndarray, sentences: Sentences, nearest: int) -> float:
    """Share of photos with one of their own among their nearest of all these photos' sentences."""
    first, end = sentences.starts[subjects], sentences.starts[subjects + 1]
    rows = torch.cat([torch.arange(a, b) for a, b in zip(first, end, strict=True)])
    owner = torch.repeat_interleave(torch.arange(len(subjects)), end - first)
    best = (z @ sentences.embeddings[rows].float().T).topk(nearest).indices
    return (owner[best] == torch.arange(len(z))[:, None]).any(1).float().mean().item()


def examine(end: End, of: Material, teacher: Teacher, split: Split) -> str:
    """Say how well the end does on what is held back."""
    plain, (humans, _) = of.things[0], of.people
    held, names = of.rows[Places.THINGS].held, teacher.bank.names
    seen = accuracy(whole(end, plain, held), plain.labels[held], names, list(split.seen))
    unseen = accuracy(
        whole(end, plain, of.kept_out), plain.labels[of.kept_out], names, list(split.kept_out)
    )
    told = of.rows[Places.PEOPLE].held
    z = whole(end, humans, told)
    found = found_sentence(z, humans.labels[told], teacher.people, 10)
    return (
        f"seen classes {seen:.3f}, kept-out classes {unseen:.3f}, own sentence among ten of "
        f"{5 * len(told)} {found:.3f}"
    )


@torch.no_grad()
def fit_head(end: End, of: Material, teacher: Teacher) -> None:
    """Begin with the linear head that fits the untrained features best (ridge regression)."""
    plain, (humans, _) = of.things[0], of.people
    rows = of.rows[Places.THINGS].training[:_RIDGE_PHOTOS]
    told = of.rows[Places.PEOPLE].training[: _RIDGE_PHOTOS // 2]
    *blocks, head = end
    identity = copy.deepcopy(end)
    identity.head.weight.copy_(torch.eye(len(head.weight)))
    identity.head.bias.zero_()
    raw = [
        identity(album.inputs(np.array(part[k : k + _READ])))
        for album, part in ((plain, rows), (humans, told))
        for k in range(0, len(part), _READ)
    ]
    x = torch.cat(raw)
    middle = x.mean(0)
    subjects = torch.from_numpy(humans.labels[told])
    sentence = teacher.people.embeddings[teacher.people.draw(subjects)].float()
    y = torch.cat([teacher.bank.centres[torch.from_numpy(plain.labels[rows])], sentence])
    centred = x - middle
    square = centred.T @ centred
    square += _RIDGE * square.diagonal().mean() * torch.eye(len(square))
    weight = torch.linalg.solve(square, centred.T @ (y - y.mean(0))).T  # (D, W)
    head.weight.copy_(weight)
    head.bias.copy_(y.mean(0) - weight @ middle)
    assert len(blocks), "the blocks themselves are left as they are"


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
        [{"params": p, "lr": each, "weight_decay": decay} for p, each, decay in groups]
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


def load_teacher(places: Places, data: Path, wordnet: Path, stamps: Path, split: Split) -> Teacher:
    """Embed all texts."""
    encode = MiniLM(places.minilm).encode
    bank = build_bank(encode, read_classes(data / FILE), read_synsets(wordnet), split.seen)
    captions = torch.from_numpy(np.load(places.caption_embeddings, allow_pickle=False))
    told = people.read_described(data / people.TABLE, "train")
    chunker = noun_phrases.learn((s for photo in told for s in photo.sentences), wordnet)
    kinds = [nouns.kind for nouns in class_nouns(data, wordnet)]
    return Teacher(
        bank,
        list(split.seen),
        captions,
        embed_sentences([photo.sentences for photo in told], encode),
        embed_sentences([stamp.texts for stamp in training_stamps(stamps)], encode),
        build_tags(told, chunker, encode),
        frozenset(label for label, kind in enumerate(kinds) if kind in ANIMALS),
    )


def embed_sentences(groups: Sequence[Sequence[str]], encode: Encode) -> Sentences:
    """Embed the sentences of each subject."""
    starts = np.cumsum([0, *(len(group) for group in groups)])
    flat = encode([sentence for group in groups for sentence in group])
    return Sentences(flat.half(), torch.from_numpy(starts))


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
