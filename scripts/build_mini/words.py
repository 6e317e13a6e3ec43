"""Train the language model and the ClipCap mapper together: captions of features, and plain text.

Both are needed in one network: it decodes captions, and its probabilities of sentences after
sentences are the PMI. Captions alone would make it forget how people write.
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from scripts.build_mini.assemble import WIDTH
from scripts.build_mini.cache import open_album
from scripts.build_mini.corpus import appearance_groups, real_groups, train_tokenizer
from scripts.build_mini.features import read_pairs
from scripts.build_mini.looks import class_nouns, read_looks
from scripts.build_mini.places import (
    Places,
    add_data,
    add_stamps,
    add_threads,
    add_wordnet,
    parser,
)
from scripts.build_mini.reading import (
    END_ID,
    SENTENCE_TOKENS,
    Pairs,
    encode,
    padded,
    sequence,
    text_batches,
)
from scripts.build_mini.stamps import training_stamps
from scripts.build_mini.vision import half_precision

MINUTES = 25.0
"""Default of `--minutes`; the learning rate falls to nearly nothing over this time."""
TEXT_EVERY = 4
"""Plain text is read in every fourth step."""
PREFIX, HIDDEN = 5, 768
LAYERS, HEADS, STATE = 5, 4, 256
RATE, LAST_RATE, WARM_UP = 1.5e-3, 0.02, 60
NOISE = 0.12
"""Of a feature's length: so that neighbours of a feature read like it."""
FEATURE_LENGTH = 6.0
"""The mapper's first layer is scaled as if features had this length, where tanh is not flat yet."""
KEEP_EVERY = 240.0
"""Seconds between checkpoints."""
HELD_OUT = 150
"""Groups of human sentences that only the perplexity at the end is measured on."""


class Captioner(nn.Module):
    """A GPT-2 and the mapper from features to its prefix, with ClipCap's shape and names."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        config = GPT2Config(
            vocab_size=vocabulary, n_positions=128, n_embd=STATE, n_layer=LAYERS, n_head=HEADS,
            bos_token_id=END_ID, eos_token_id=END_ID,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
            attn_implementation="eager",  # the fused kernel is slow backwards over twenty tokens
        )  # fmt: skip
        self.gpt: Any = GPT2LMHeadModel(config)
        self.mapper = nn.Sequential(
            nn.Linear(WIDTH, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, PREFIX * STATE)
        )

    def expect_length(self, length: float) -> None:
        """Scale the mapper's first layer for features of about this length."""
        with torch.no_grad():
            next(self.mapper.parameters()).mul_(FEATURE_LENGTH / length)

    def caption_loss(self, features: Tensor, ids: Tensor, there: Tensor) -> Tensor:
        """Cross-entropy of captions (B, L) after the prefixes of features (B, D)."""
        prefix = self.mapper(features).unflatten(1, (PREFIX, STATE))
        inputs = torch.cat([prefix, self.gpt.transformer.wte(ids[:, :-1])], dim=1)
        states = self.gpt.transformer(inputs_embeds=inputs).last_hidden_state
        return self._loss(states[:, PREFIX - 1 :], ids, there)

    def text_loss(self, ids: Tensor, there: Tensor) -> Tensor:
        """Cross-entropy of sequences (B, L), each token after those before it."""
        states = self.gpt.transformer(ids[:, :-1]).last_hidden_state
        return self._loss(states, ids[:, 1:], there[:, 1:])

    def save(self, folder: Path, mapper: Path) -> None:
        """Write the GPT-2 as transformers does, and the mapper under ClipCap's published keys."""
        self.gpt.save_pretrained(folder)
        state = {f"clip_project.model.{k}": v for k, v in self.mapper.state_dict().items()}
        torch.save(state, mapper)

    def _loss(self, states: Tensor, ids: Tensor, there: Tensor) -> Tensor:
        # Only real places go through the large output matrix.
        return F.cross_entropy(self.gpt.lm_head(states[there]), ids[there])


def noisy(features: Tensor, share: float) -> Tensor:
    """Move features (B, D) by about a share of their length, in any direction."""
    length: Tensor = features.norm(dim=1, keepdim=True) / features.shape[1] ** 0.5
    return features + share * torch.randn_like(features) * length


def falling(passed: float, last: float) -> float:
    """Return what is left of the rate once a share of the training has passed: half a cosine."""
    return (1 + math.cos(math.pi * passed)) / 2 * (1 - last) + last


def reads(step: int) -> bool:
    """Tell whether a step reads plain text, too."""
    return step % TEXT_EVERY == 0


def optimiser(network: Captioner) -> torch.optim.AdamW:
    """AdamW, whose rate `learn` sets, in its fused form, which is faster on a CPU."""
    return torch.optim.AdamW(network.parameters(), weight_decay=0.02, betas=(0.9, 0.98), fused=True)


def learn(
    network: Captioner,
    adam: torch.optim.Optimizer,
    rate: float,
    features: Tensor,
    pairs: Iterator[Any],
    texts: Sequence[Any],
    noise: float = NOISE,
) -> str:
    """Take one step on the next captions, and on plain text if there is any; tell the losses.

    `noise` is the share of their length by which features are moved.
    """
    for group in adam.param_groups:
        group["lr"] = rate
    batch = next(pairs)
    z = noisy(features[[row for _, row in batch]], noise)
    with half_precision():
        loss = network.caption_loss(z, *padded([ids for ids, _ in batch]))
    report = f"captions {loss.item():.3f}"
    if texts:
        with half_precision():
            text_loss = network.text_loss(*padded([ids for (ids,) in texts]))
        loss = loss + text_loss
        report += f", text {text_loss.item():.3f}"
    adam.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    adam.step()
    return report


def train(
    network: Captioner,
    features: Tensor,
    pairs: Iterator[Any],
    texts: Iterator[Any],
    minutes: float,
    kept: Path,
) -> None:
    """Train for a time; the rate follows a half cosine over it.

    `kept` is written every few minutes; where it is there already, training goes on from it.
    """
    adam = optimiser(network)
    step, before = 0, 0.0
    if kept.exists():
        found = torch.load(kept, weights_only=True)
        network.load_state_dict(found["network"])
        adam.load_state_dict(found["adam"])
        step, before = found["step"], found["spent"]
    started = time.monotonic() - before
    saved = before
    while (passed := (spent := time.monotonic() - started) / (60 * minutes)) < 1:
        rate = RATE * min(1, step / WARM_UP) * falling(passed, LAST_RATE)
        report = learn(network, adam, rate, features, pairs, next(texts) if reads(step) else ())
        step += 1
        if step % 50 == 1:
            print(f"step {step}: {report}, {spent:.0f} s", flush=True)
        if spent - saved > KEEP_EVERY:
            state = {"network": network.state_dict(), "adam": adam.state_dict()}
            torch.save({**state, "step": step, "spent": spent}, kept)
            saved = spent


@torch.inference_mode()
def perplexity(network: Captioner, sequences: list[list[int]]) -> float:
    """Perplexity of sequences under the language model."""
    return math.exp(network.text_loss(*padded(sequences)).item())


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_threads(options)
    add_stamps(options)
    options.add_argument("--minutes", type=float, default=MINUTES, help="default: %(default)s")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    places, rng = Places(given.work), random.Random(0)
    nouns = class_nouns(given.data, given.wordnet)
    real = real_groups(given.data, given.stamps, rng)
    labels = open_album(places.cache / Places.THINGS).labels.tolist()
    made = appearance_groups(read_looks(places.looks), labels, nouns, rng)
    tokenizer = train_tokenizer(sentence for group in [*real, *made] for sentence in group)
    tokenizer.save_pretrained(places.language_model)
    ids = [[s[:SENTENCE_TOKENS] for s in encode(tokenizer, group)] for group in [*real, *made]]
    held_out = set(rng.sample(range(len(real)), HELD_OUT))
    read = [group for place, group in enumerate(ids) if place not in held_out]
    features = torch.from_numpy(np.load(places.features, allow_pickle=False)).float()
    stamps = [stamp.called for stamp in training_stamps(given.stamps, places.emoji)]
    seen = Pairs(read_pairs(places.pairs), nouns, stamps)
    network = Captioner(len(tokenizer))
    network.expect_length(features.norm(dim=1).median().item())
    pairs, texts = seen.batches(tokenizer, rng), text_batches(read, rng)
    kept = places.mapper.with_suffix(".part.pt")
    train(network, features, pairs, texts, given.minutes, kept)
    network.eval().save(places.language_model, places.mapper)
    unread = [sequence(ids[place], rng) for place in sorted(held_out)]
    print(f"perplexity of held-out human captions: {perplexity(network, unread):.1f}")


if __name__ == "__main__":
    main()
