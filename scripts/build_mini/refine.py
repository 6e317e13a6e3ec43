"""Teach the assembled captioner to say at once the best of what it says in several tries.

It begins with the package's networks and ends with them: a mapper and a language model that were
trained a little longer, on the captions that `best` chose, on people's own sentences, and, so that
the language model forgets nothing, on plain text.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mapcap.networks.embedded import embedded
from mapcap.networks.weights import load_weights
from scripts.build_mini import people
from scripts.build_mini.assemble import averaged
from scripts.build_mini.best import Best, load_assembled, read_best
from scripts.build_mini.corpus import Group, real_groups
from scripts.build_mini.people import Described, shows_human
from scripts.build_mini.places import Places, add_data, add_stamps, add_threads, parser
from scripts.build_mini.reading import (
    CAPTION_TOKENS,
    END_ID,
    SENTENCE_TOKENS,
    encode,
    sorted_batches,
    text_batches,
)
from scripts.build_mini.words import Captioner, falling, learn, optimiser, reads
from scripts.build_mini.workers import side_by_side

MEMBERS = 2
"""Networks that are trained from the same weights on other draws, and averaged: captions of new
pictures are better than any one's (model soups, Wortsman et al. 2022)."""
STEPS = 1_300
RATE, LAST_RATE, WARM_UP = 3e-4, 0.05, 20
NOISE = 0.3
"""As of `words`, and more: what is shown is told many times, and with little noise the captioner
learnt the photos by heart. On the training photos it invented no human, on the others more than
before."""
OWN_SENTENCE = 0.3
"""Share of the photos of people that are told by a sentence of people instead."""
BATCH = 96
MIXTURE = {"people": 0.42, "things": 0.31, "pasted": 0.08, "stamps": 0.12, "grounds": 0.07}
"""Shares of the captions."""
RARER = {"people": 1.0, "things": 0.8, "pasted": 0.5, "stamps": 0.5, "grounds": 0.5}
"""By what power of its count a caption is drawn less often."""
NOBODY = 12.0
"""How much more often a photo of people's is drawn of which no sentence names a human. They are a
fifth of all and, their captions being more alike, drawn less often still: humans were invented."""
_POOL = 8


def caption_batches(
    best: Best, told: Sequence[Described], tokenizer: Any, rng: random.Random
) -> Iterator[Any]:
    """Draw features with their captions, without end: lists of (token ids, place in `best`).

    What is often said of people and of things is drawn as often as what is seldom said: captions
    are to differ. `told` is what people said of each photo of people.
    """
    often = Counter(best.texts)
    there = [kind for kind in MIXTURE if kind in best.kinds]
    places = {kind: [i for i, k in enumerate(best.kinds) if k == kind] for kind in there}
    weights = {
        kind: list(
            accumulate(
                often[best.texts[i]] ** -RARER[kind]
                * (NOBODY if kind == "people" and shows_human(told[best.rows[i]]) is False else 1)
                for i in places[kind]
            )
        )
        for kind in there
    }
    shares = [MIXTURE[kind] for kind in there]
    while True:
        drawn = rng.choices(there, shares, k=_POOL * BATCH)
        chosen = [rng.choices(places[kind], cum_weights=weights[kind])[0] for kind in drawn]
        said = [
            rng.choice(told[best.rows[place]].sentences)
            if kind == "people" and rng.random() < OWN_SENTENCE
            else best.texts[place]
            for kind, place in zip(drawn, chosen, strict=True)
        ]
        ids = encode(tokenizer, said)
        yield from sorted_batches(
            [([*each[:CAPTION_TOKENS], END_ID], i) for each, i in zip(ids, chosen, strict=True)],
            BATCH,
            rng,
        )


def refine(
    network: Captioner, features: Tensor, pairs: Iterator[Any], texts: Iterator[Any]
) -> None:
    """Train for some hundred steps, the rate falling by half a cosine."""
    adam = optimiser(network)
    for step in range(STEPS):
        rate = RATE * min(1, step / WARM_UP) * falling(step / STEPS, LAST_RATE)
        plain = next(texts) if reads(step) else ()
        report = learn(network, adam, rate, features, pairs, plain, NOISE)
        if step % 50 == 0:
            print(f"step {step}: {report}", flush=True)


def assembled(language_model: Any, mapper: Path) -> Captioner:
    """Return the package's networks, to be trained on."""
    network = Captioner(language_model.config.vocab_size)
    network.gpt.load_state_dict(language_model.state_dict())
    state = load_weights(mapper)
    network.mapper.load_state_dict(
        {name.removeprefix("clip_project.model."): value for name, value in state.items()}
    )
    return network


def train_member(number: int, given: argparse.Namespace) -> None:
    """Train one network on its own draws, from the package's, and leave it in the work folder."""
    torch.manual_seed(number)
    places, rng = Places(given.work), random.Random(number)
    clipcap, best = load_assembled(), read_best(places.best)
    told = people.read_described(given.data / people.TABLE, "train")
    groups: list[Group] = real_groups(given.data, given.stamps, random.Random(0))
    tokenizer: Any = clipcap.tokenizer
    read = [[ids[:SENTENCE_TOKENS] for ids in encode(tokenizer, group)] for group in groups]
    network = assembled(clipcap.language_model, embedded("clipcap.safetensors"))
    pairs = caption_batches(best, told, tokenizer, rng)
    refine(network, best.features, pairs, text_batches(read, rng))
    torch.save(network.state_dict(), places.member(number))


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_stamps(options)
    add_threads(options)
    given = options.parse_args()
    places, members = Places(given.work), range(MEMBERS)
    side_by_side(train_member, members, given)
    states = [torch.load(places.member(number), weights_only=True) for number in members]
    clipcap = load_assembled()
    tokenizer: Any = clipcap.tokenizer
    network = Captioner(clipcap.language_model.config.vocab_size)
    network.load_state_dict(averaged(states, [1 / MEMBERS] * MEMBERS))
    tokenizer.save_pretrained(places.refined)
    network.eval().save(places.refined, places.refined / places.mapper.name)


if __name__ == "__main__":
    main()
