"""From prefix embeddings to tokens: greedy, nucleus and beam search, batched, with a KV cache.

Every row of a batch has the same prefix length, so no row is padded and none sees another.
"""

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from mapcap.errors import UserError
from mapcap.networks.caches import cache_argument, cache_of
from mapcap.networks.logits import last_logits

Pick = Callable[[Tensor, list[int]], Tensor]
"""Log-probabilities (R, V) of the running rows, and their numbers in the batch -> tokens (R,)."""


_FEW: Final = 128
"""Tokens that hold the nucleus most of the time."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of one caption, and the sum of their log-probabilities (natural log)."""

    ids: tuple[int, ...]
    log_probability: float


def room(language_model: Any, prefix_length: int) -> int:
    """Return how many tokens a caption can have before the language model runs out of positions.

    Raises:
        UserError: not one, because the prefix alone is too long.
    """
    positions = getattr(language_model.config, "max_position_embeddings", sys.maxsize)
    if prefix_length > positions:
        raise UserError(
            f"a prefix of {prefix_length} does not fit a language model of {positions} positions. "
            "Give a captioner with the language model that it was trained with (--captioner)."
        )
    return int(positions) - prefix_length + 1  # the last token is never fed back


def decode(
    language_model: Any,
    prefix: Tensor,
    stops: Collection[int],
    max_tokens: int,
    pick: Pick,
) -> list[Tokens]:
    """Extend each prefix (B, P, W) token by token until a stop token (kept) or `max_tokens`.

    A row that has stopped leaves the batch. Log-probabilities are the model's own, whatever `pick`
    takes into account.
    """
    rows = list(range(len(prefix)))
    ids: list[list[int]] = [[] for _ in rows]
    sums = [0.0] * len(rows)
    output = language_model(inputs_embeds=prefix, use_cache=True, **last_logits(language_model))
    logits = output.logits[:, -1]  # (R, V)
    while rows:
        log_p = logits.float().log_softmax(-1)  # (R, V)
        tokens = pick(log_p, rows)  # (R,)
        gained = log_p.gather(1, tokens[:, None])[:, 0].tolist()
        kept = []
        for position, (row, token) in enumerate(zip(rows, tokens.tolist(), strict=True)):
            ids[row].append(token)
            sums[row] += gained[position]
            if token not in stops and len(ids[row]) < max_tokens:
                kept.append(position)
        cache = cache_of(output)
        if kept and len(kept) < len(rows):
            cache.batch_select_indices(torch.tensor(kept, device=tokens.device))
        rows = [rows[position] for position in kept]
        if rows:
            output = language_model(
                input_ids=tokens[kept, None],
                use_cache=True,
                **cache_argument(language_model, cache),
            )
            logits = output.logits[:, -1]
    return [Tokens(tuple(row), total) for row, total in zip(ids, sums, strict=True)]


def pick_best(log_p: Tensor, rows: list[int]) -> Tensor:
    """Take the most probable token of each row: greedy decoding."""
    return log_p.argmax(-1)


def _likeliest(p: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Return so many of the probabilities (R, V), falling, that each row reaches `top_p`.

    And the tokens that they are of. To sort a whole vocabulary takes longer than a small decoder.
    """
    count = min(_FEW, p.shape[1])
    found, tokens = p.topk(count)
    while count < p.shape[1] and bool((found.sum(-1) < top_p).any()):
        count = min(4 * count, p.shape[1])
        found, tokens = p.topk(count)
    return found, tokens


def nucleus(top_p: float, temperature: float, streams: Sequence[tuple[int, int] | None]) -> Pick:
    """Sample from the most probable tokens that together reach `top_p` (Holtzman et al. 2020).

    Row i draws from the stream `streams[i]`, a seed and a number of the row's own, so the other
    rows do not change what it draws; it takes the most probable token where that is None.

    Raises:
        ValueError: `top_p` is not in (0, 1] or `temperature` not above 0.
    """
    if not 0 < top_p <= 1 or temperature <= 0:
        raise ValueError("top_p is in (0, 1] and temperature above 0")
    generators = [None if each is None else np.random.default_rng(each) for each in streams]

    def pick(log_p: Tensor, rows: list[int]) -> Tensor:
        p, order = _likeliest((log_p / temperature).softmax(-1), top_p)
        before = p.cumsum(-1) - p
        p = torch.where(before < top_p, p, 0.0)  # the token that crosses top_p is still in
        running = [generators[row] for row in rows]
        drawn = torch.tensor([each.random() if each else -1.0 for each in running], device=p.device)
        cumulative = p.cumsum(-1)
        chosen = (cumulative < drawn[:, None] * cumulative[:, -1:]).sum(-1, keepdim=True)  # (R, 1)
        return torch.where(drawn < 0, log_p.argmax(-1), order.gather(1, chosen)[:, 0])

    return pick


def beam_search(
    language_model: Any, prefix: Tensor, stops: Collection[int], max_tokens: int, beams: int
) -> list[list[Tokens]]:
    """Decode each prefix (B, P, W) by beam search with the published ClipCap code's rules.

    A beam is ranked by its mean log-probability at every step, and divides by its own length; a
    stopped beam stays in the race with the score and length it had; an image is done when all its
    beams have stopped, and leaves the batch. This is not transformers' beam search, which takes
    finished beams out of the race. Returns the beams of each image, the best first.

    Raises:
        ValueError: fewer than one beam, or more than the vocabulary has tokens.
    """
    output = language_model(inputs_embeds=prefix, use_cache=True, **last_logits(language_model))
    log_p = output.logits[:, -1].float().log_softmax(-1)  # (B, V)
    batch, vocabulary = log_p.shape
    if not 1 <= beams <= vocabulary:
        raise ValueError(f"beams is between 1 and {vocabulary}")
    stop_ids = torch.tensor(sorted(stops), device=prefix.device)
    sums, tokens = log_p.topk(beams, -1)  # (B, K)
    history = tokens[..., None]  # (B, K, T)
    lengths = torch.ones_like(sums)  # (B, K)
    stopped = torch.isin(tokens, stop_ids)  # (B, K)
    cache = cache_of(output)
    cache.batch_repeat_interleave(beams)
    rows = torch.arange(batch * beams, device=prefix.device).view(batch, beams)  # of the cache
    images = torch.arange(batch, device=prefix.device)  # that are not done
    found: list[list[Tokens]] = [[] for _ in range(batch)]
    while True:
        done = stopped.all(-1) | (history.shape[-1] >= max_tokens)  # (B,)
        for i in done.nonzero()[:, 0].tolist():
            found[int(images[i])] = [
                Tokens(tuple(history[i, k, : int(lengths[i, k])].tolist()), sums[i, k].item())
                for k in range(beams)
            ]
        images, rows, sums, tokens, history, lengths, stopped = (
            each[~done] for each in (images, rows, sums, tokens, history, lengths, stopped)
        )
        if not len(images):
            return found
        cache.batch_select_indices(rows.flatten())
        output = language_model(
            input_ids=tokens.reshape(-1, 1),
            use_cache=True,
            **cache_argument(language_model, cache),
        )
        log_p = output.logits[:, -1].float().log_softmax(-1).view(len(images), beams, -1)
        # A stopped beam has one successor, itself: token 0 stands in for it and adds nothing.
        log_p = log_p.masked_fill(stopped[..., None], -torch.inf)  # (B, K, V)
        log_p[..., 0] = log_p[..., 0].masked_fill(stopped, 0.0)
        lengths = lengths + ~stopped
        means = (sums[..., None] + log_p) / lengths[..., None]  # (B, K, V)
        best, flat = means.flatten(1).topk(beams, -1)  # (B, K)
        source, tokens = flat // vocabulary, flat % vocabulary
        lengths, stopped = lengths.gather(1, source), stopped.gather(1, source)
        sums = best * lengths
        history = history.gather(1, source[..., None].expand_as(history))
        history = torch.cat((history, tokens[..., None]), dim=-1)
        stopped = stopped | torch.isin(tokens, stop_ids)
        rows = torch.arange(len(images), device=prefix.device)[:, None] * beams + source
