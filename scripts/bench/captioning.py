"""Part `captions`: ClipCap at GPT-2 small's shape, batched, beside the published loop."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from statistics import median
from typing import Any

import torch

from mapcap.networks.clipcap import ClipCap
from mapcap.networks.language_models import load_language_model
from mapcap.networks.prefix_networks import MlpMapper
from scripts.bench import published
from scripts.bench.figures import SECONDS, TIMES, Figure
from scripts.bench.networks import as_loaded, gpt2_small
from scripts.bench.sizes import Sizes
from scripts.bench.timing import Way, in_turn, ratio

_FEATURES, _HIDDEN, _PREFIX = 512, 3840, 10
_PUBLISHED = "published loop"


def measure(sizes: Sizes, device: torch.device) -> Iterator[Figure]:
    """Measure the published MLP prefix network with GPT-2 small, both with random weights."""
    network = gpt2_small(device)
    mapper = MlpMapper(_FEATURES, _HIDDEN, _PREFIX, network.config.n_embd).to(device).eval()
    tokenizer = load_language_model("mini", device=torch.device("cpu")).tokenizer
    yield from measure_captioner(ClipCap(mapper, network, tokenizer), sizes, device)


def measure_captioner(plain: ClipCap, sizes: Sizes, device: torch.device) -> Iterator[Figure]:
    """Time captions of `caption_tokens` tokens, a caption each; `plain` is what others would run.

    Random weights hardly ever say the stop token, so both ways make captions of one length.
    """
    network: Any = plain.language_model
    ours = replace(plain, language_model=as_loaded(network))
    stop = plain.tokenizer.encode(".", add_special_tokens=False)[0]
    torch.manual_seed(1)
    features = torch.randn(max(sizes.caption_batches), plain.mapper.features, device=device)
    turn = cycle(features)

    def theirs() -> object:
        return published.caption(plain, next(turn)[None], stop, sizes.caption_tokens)

    ways = {_PUBLISHED: Way(theirs)}
    for batch in sizes.caption_batches:

        def batched(batch: int = batch) -> object:
            return ours.generate(features[:batch], max_tokens=sizes.caption_tokens)

        ways[f"batch {batch}"] = Way(batched, batch)
    seconds = in_turn(ways, sizes.repeats, device)
    for way in ways:
        yield Figure("captions", f"{way}, a caption", median(seconds[way]), SECONDS)
    for way in list(ways)[1:]:
        value = ratio(seconds, _PUBLISHED, way)
        yield Figure("captions", f"{_PUBLISHED} / {way}", value, TIMES)
