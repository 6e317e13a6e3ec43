"""The text side of the classes: embeddings, and which tokens of a name the matches rest on."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from db import queries
from db.rows import NewClassText
from mapcap.indexing.batch_size import START
from mapcap.indexing.stages.base import Job
from mapcap.networks.text_towers import text_tower
from mapcap.networks.tokens import proper_tokens, token_texts
from mapcap.relevance import chefer_text

_IMAGES = 4
"""Images of a class over which the relevance of its name's tokens is averaged."""


def class_texts(job: Job, weights: Tensor) -> list[NewClassText]:
    """Return each class's weights (K, D) with the relevance of its tokens.

    The text is the class name in the run's first template; a token's relevance is the mean over
    the images of the class that match it best, each image's scores divided by their sum.
    """
    template = job.config.templates[0]
    texts = [template.replace("{}", class_label.name) for class_label in job.dataset.classes]
    clip = job.networks.clip
    tokens = clip.tokenizer(texts)  # (K, L)
    proper = proper_tokens(clip.tokenizer, tokens, text_tower(clip.model).end(tokens))  # (K, L)
    scores = _scores(job, tokens, proper)
    return [
        NewClassText(
            class_id=class_id,
            embedding=weights[index].float().cpu().numpy(),
            tokens=list(
                zip(
                    token_texts(clip.tokenizer, tokens[index, proper[index]].tolist()),
                    scores[index, proper[index].numpy()].tolist(),
                    strict=True,
                )
            ),
        )
        for index, class_id in enumerate(job.class_ids)
    ]


def _scores(job: Job, tokens: Tensor, proper: Tensor) -> NDArray[np.float64]:
    """Return the mean relevance (K, L) of each class's tokens over its best images."""
    best = [
        (image.id, position)
        for position, class_id in enumerate(job.class_ids)
        for image in queries.images(job.engine, class_id, descending=True, limit=_IMAGES)
        if image.predicted_class_id is not None
    ]
    sums = np.zeros(tokens.shape)
    size = job.batch_size or START
    for start in range(0, len(best), size):
        _add(job, tokens, proper, dict(best[start : start + size]), sums)
    totals = sums.sum(1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    return shares


def _add(
    job: Job,
    tokens: Tensor,
    proper: Tensor,
    positions: Mapping[int, int],
    sums: NDArray[np.float64],
) -> None:
    """Add the token relevance of images, by id, each one's scores divided by their sum."""
    stored = queries.image_features(job.engine, list(positions))
    rows = torch.tensor([positions[image_id] for image_id in stored.ids.tolist()])
    clip = job.networks.clip
    features = torch.from_numpy(stored.features()).to(clip.device, clip.dtype)
    relevance = chefer_text(clip.model, features, tokens[rows], proper=proper[rows])  # (B, L)
    shares = relevance / relevance.sum(1, keepdim=True).clamp(min=1e-30)
    np.add.at(sums, rows.numpy(), shares.double().cpu().numpy())
