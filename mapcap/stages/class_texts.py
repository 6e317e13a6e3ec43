"""The text side of the classes: embeddings, and which tokens of a name the matches rest on."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from db import queries
from db.rows import NewClassText
from mapcap.networks.tokens import token_texts
from mapcap.relevance import chefer_text
from mapcap.stages.base import Job
from mapcap.stages.pictures import read_pictures
from mapcap.towers import text_tower

_IMAGES = 4
"""Images of a class over which the relevance of its name's tokens is averaged."""


def class_texts(job: Job, weights: Tensor) -> list[NewClassText]:
    """Return each class's weights (K, D) with the relevance of its tokens.

    The text is the class name in the run's first template; a token's relevance is the mean over
    the images of the class that match it best, each image's scores divided by their sum.
    """
    template = job.config.templates[0]
    texts = [template.replace("{}", found.name) for found in job.dataset.classes]
    tokens = job.networks.clip.tokenizer(texts)  # (K, L)
    scores = _scores(job, tokens)
    ends = text_tower(job.networks.clip.model).end(tokens).tolist()
    return [
        NewClassText(
            class_id=class_id,
            embedding=weights[index].float().cpu().numpy(),
            tokens=list(
                zip(
                    token_texts(
                        job.networks.clip.tokenizer, tokens[index, 1 : ends[index]].tolist()
                    ),
                    scores[index, 1 : ends[index]].tolist(),
                    strict=True,
                )
            ),
        )
        for index, class_id in enumerate(job.class_ids)
    ]


def _scores(job: Job, tokens: Tensor) -> NDArray[np.float64]:
    """Return the mean relevance (K, L) of each class's tokens over its best images."""
    best = [
        image.id
        for class_id in job.class_ids
        for image in queries.images(job.engine, class_id, descending=True, limit=_IMAGES)
        if image.predicted_class_id is not None
    ]
    sums = np.zeros(tokens.shape)
    for start in range(0, len(best), job.batch_size):
        _add(job, tokens, sorted(best[start : start + job.batch_size]), sums)
    totals = sums.sum(1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    return shares


def _add(job: Job, tokens: Tensor, image_ids: Sequence[int], sums: NDArray[np.float64]) -> None:
    """Add a batch's token relevance, each image's scores divided by their sum, to `sums`."""
    pictures = read_pictures(job, image_ids)
    if not pictures.tasks:
        return
    positions = torch.tensor([task.class_position for task in pictures.tasks])
    clip = job.networks.clip
    found = chefer_text(clip.model, pictures.views.to(clip.device), tokens[positions])  # (B, L)
    shares = found / found.sum(1, keepdim=True).clamp(min=1e-30)
    np.add.at(sums, positions.numpy(), shares.double().cpu().numpy())
