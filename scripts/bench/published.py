"""The published ways that MapCap is measured against, each restated in a few lines.

They do what the authors' code does for one item, in its order and with its waste, and give the
same numbers as MapCap: the tests compare them.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mapcap.attention import Interception
from mapcap.networks.clipcap import ClipCap
from mapcap.networks.towers import ClipModel, cosine_logits

PAIRS = 8
"""Pairs of sentences in a forward pass of the published PMI code."""
_DIGITS = 15
_TOP_P = 0.8


def relevance(model: ClipModel, image: Tensor, texts: Tensor) -> Tensor:
    """Relevance (T, N - 1) of one image's patches for T texts, of the last layer.

    As hila-chefer/Transformer-MM-Explainability's CLIP example does (Chefer et al. 2021, arXiv
    2103.15679), without its text tower: the image is repeated for each text, every layer keeps its
    attention, and the whole tower runs with a graph.

    `image` (3, H, W) preprocessed; `texts` (T, D) normalised. The parameters take gradients while
    it runs, as theirs do.
    """
    kept: list[Tensor] = []

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        kept.append((q * scale @ k.mT).softmax(-1))  # (T, H, N, N)
        return kept[-1] @ v

    assert isinstance(model, nn.Module)
    model.requires_grad_(True)
    with torch.enable_grad(), Interception(attend):
        features = model.encode_image(image[None].repeat(len(texts), 1, 1, 1))
        score = cosine_logits(model, features, texts).diagonal().sum()
    (gradient,) = torch.autograd.grad(score, [kept[-1]], retain_graph=True)
    model.requires_grad_(False)
    cam = (gradient * kept[-1].detach()).clamp(min=0).mean(1)  # (T, N, N)
    start = torch.eye(cam.shape[-1], device=cam.device).expand_as(cam)
    return (start + torch.bmm(cam, start))[:, 0, 1:]


def caption(clipcap: ClipCap, feature: Tensor, stop: int, max_tokens: int) -> list[int]:
    """Token ids of the caption of one CLIP feature (1, D), as ClipCap's `generate2` decodes.

    Mokady et al. 2021 (arXiv 2111.09734): one image at a time, everything read again for each
    token, the vocabulary sorted for a nucleus from which the most probable token is taken.
    """
    network = clipcap.language_model
    tokens: list[int] = []
    with torch.no_grad():
        generated = clipcap.mapper(feature)  # (1, P, W)
        for _ in range(max_tokens):
            logits = network(inputs_embeds=generated).logits[:, -1]  # (1, V)
            ordered, order = logits.sort(descending=True)
            beyond = ordered.softmax(-1).cumsum(-1) > _TOP_P
            beyond[..., 1:] = beyond[..., :-1].clone()
            beyond[..., 0] = False
            logits[:, order[beyond]] = -torch.inf
            token = logits.argmax(-1)[None]  # (1, 1)
            embedded = network.get_input_embeddings()(token)
            generated = torch.cat((generated, embedded), dim=1)
            tokens.append(int(token.item()))
            if tokens[-1] == stop:
                break
    return tokens


def pair_scores(
    language_model: PreTrainedModel, start: int, pairs: Sequence[tuple[list[int], list[int]]]
) -> list[float]:
    """Log p(second | first), natural log, of a few pairs of sentences given by their tokens.

    As vishakhpk/mi-unsup-summ does (Padmakumar & He 2021, arXiv 2102.06272), without its alignment
    of tokens and words: every pair is read whole, padded with the start token, the softmax is
    taken over all the vocabulary at every token, and probabilities are rounded to 15 digits.
    """
    rows = [[start, *first, *second] for first, second in pairs]
    longest = max(map(len, rows))
    padded = [row + [start] * (longest - len(row)) for row in rows]
    tokens = torch.tensor(padded, device=language_model.device)  # (B, L)
    with torch.no_grad():
        probabilities = language_model(tokens).logits[:, :-1].softmax(-1)  # (B, L - 1, V)
    scores = []
    for (first, second), row, read in zip(pairs, probabilities, tokens[:, 1:], strict=True):
        real = row[torch.arange(len(read), device=read.device), read].cpu().tolist()
        rounded = [round(value, _DIGITS) for value in real]
        scores.append(sum(map(math.log, rounded[len(first) : len(first) + len(second)])))
    return scores
