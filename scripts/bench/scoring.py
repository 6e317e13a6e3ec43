"""Part `pmi`: the PMI of a class's captions at GPT-2 small's shape, beside the published code.

The published code would take hours for ten thousand pairs, each of which costs it the same. So a
few of its batches are timed, one after each of MapCap's forward passes, and stand for all.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerBase

from mapcap.errors import UserError
from mapcap.networks.devices import name_of
from mapcap.networks.half_linears import InBFloat16, multiplies_bfloat16
from mapcap.networks.language_models import load_language_model
from mapcap.pmi import pmi_matrix
from scripts.bench import published
from scripts.bench.figures import SECONDS, TIMES, Figure
from scripts.bench.networks import as_loaded, gpt2_small
from scripts.bench.sizes import Sizes
from scripts.bench.timing import wait
from scripts.bench_browse import figures as made_up


def measure(sizes: Sizes, device: torch.device) -> Iterator[Figure]:
    """Measure GPT-2 small with random weights, on the embedded language model's tokens."""
    tokenizer = load_language_model("mini", device=torch.device("cpu")).tokenizer
    plain, sentences = gpt2_small(device), read_sentences(sizes)
    yield from measure_network(plain, torch.float32, tokenizer, sentences)
    if multiplies_bfloat16(device):
        yield from measure_network(plain, torch.bfloat16, tokenizer, sentences)


def read_sentences(sizes: Sizes) -> list[str]:
    """Return the captions to score: made up, or the first distinct lines of a file.

    Raises:
        UserError: the file cannot be read or has fewer than two distinct lines.
    """
    if sizes.sentences_from is None:
        return made_up.captions(sizes.sentences)
    try:
        lines = Path(sizes.sentences_from).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"--sentences-from {sizes.sentences_from}: cannot be read ({error}); give a text file"
        ) from error
    distinct = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(distinct) < 2:
        raise UserError(
            f"--sentences-from {sizes.sentences_from}: give a file with two captions at least, "
            "one a line"
        )
    return distinct[: sizes.sentences]


def measure_network(
    plain: GPT2LMHeadModel,
    dtype: torch.dtype,
    tokenizer: PreTrainedTokenizerBase,
    sentences: Sequence[str],
) -> Iterator[Figure]:
    """Time the whole matrix, multiplied in `dtype`, and batches of pairs the published way between.

    The published code is float32 whatever the dtype.
    """
    pieces = [f" {sentence}" for sentence in sentences]
    encoded = tokenizer(pieces, add_special_tokens=False)["input_ids"]
    start = tokenizer.bos_token_id
    batches = cycle(_batches(encoded))
    theirs: list[float] = []

    def between(done: int, total: int) -> None:
        began = time.perf_counter()
        published.pair_scores(plain, start, next(batches))
        theirs.append(time.perf_counter() - began)

    ours: Any = as_loaded(plain)
    if dtype is torch.bfloat16:
        InBFloat16(ours)
    # Warms up both.
    pmi_matrix(sentences[:2], ours, tokenizer, progress=between)
    theirs.clear()
    wait(plain.device)
    began = time.perf_counter()
    pmi_matrix(sentences, ours, tokenizer, progress=between)
    whole = time.perf_counter() - began - sum(theirs)
    pairs = len(sentences) * (len(sentences) - 1)
    expected = median(theirs) * pairs / published.PAIRS
    what = f"{len(sentences)} captions of {np.mean([len(ids) for ids in encoded]):.1f} tokens"
    what += f", {name_of(dtype)}"
    yield Figure("pmi", f"{what}, packed", whole, SECONDS)
    yield Figure("pmi", f"{what}, published, from {len(theirs)} batches", expected, SECONDS)
    yield Figure("pmi", f"{what}, published / packed", expected / whole, TIMES)


def _batches(encoded: Sequence[list[int]]) -> list[list[tuple[list[int], list[int]]]]:
    """Return batches of the published code, in its order, drawn evenly from all of them."""
    pairs = [(first, second) for first in encoded for second in encoded if first is not second]
    whole = range(0, len(pairs), published.PAIRS)
    order = np.random.default_rng(0).permutation(whole)
    return [pairs[first : first + published.PAIRS] for first in order.tolist()]
