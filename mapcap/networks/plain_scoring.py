"""Log-probabilities of sentences after contexts, pair by pair: slow, and right for every network.

Nothing is asked of the network but that no token sees the ones after it: no mask, no cache, no
positions. So it serves state-space networks, hybrids and ALiBi, which read packed rows wrongly.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

Pair = tuple[Sequence[int], Sequence[int]]
"""The tokens of a context, at least one, and of the sentence after it."""


def score_pairs(
    language_model: PreTrainedModel,
    pairs: Sequence[Pair],
    most_tokens: int,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float64]:
    """Return log p(sentence | context) of each pair, natural log, summed over the sentence.

    `most_tokens` bounds the tokens of one forward pass; `progress` is told the pairs done.
    """
    scores = np.zeros(len(pairs))
    # Alike in length side by side, so that little is padded.
    order = sorted(range(len(pairs)), key=lambda index: sum(map(len, pairs[index])))
    done = 0
    while done < len(order):
        size = max(1, most_tokens // sum(map(len, pairs[order[-1]])))
        batch = order[done : done + size]
        scores[batch] = _score(language_model, [pairs[index] for index in batch])
        done += len(batch)
        progress(done)
    return scores


def _score(language_model: PreTrainedModel, pairs: Sequence[Pair]) -> list[float]:
    rows = [[*context, *sentence] for context, sentence in pairs]
    longest = max(map(len, rows))
    # Padded on the right, where nothing that is scored looks.
    padded = [[*row, *[row[-1]] * (longest - len(row))] for row in rows]
    tokens = torch.tensor(padded, device=language_model.device)  # (B, L)
    logits = language_model(tokens, use_cache=False).logits  # (B, L, V)
    totals = []
    for row, read, (context, sentence) in zip(logits, tokens, pairs, strict=True):
        first, last = len(context), len(context) + len(sentence)
        log_p = row[first - 1 : last - 1].float().log_softmax(-1)  # (S, V)
        totals.append(log_p.gather(1, read[first:last, None]).double().sum().item())
    return totals
