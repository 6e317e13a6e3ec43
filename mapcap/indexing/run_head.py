"""The head that a run classifies with: of its class texts, or the one that a person brought."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel
from mapcap.heads import LinearHead, text_head
from mapcap.networks.clip import Clip, clip_width
from mapcap.networks.clip_check import check_clip
from mapcap.predictions import check_width, rows_of


def check_head(config: IndexConfig) -> None:
    """Check a person's head against its CLIP, before any weights of that are loaded.

    Raises:
        UserError: for a CLIP that cannot be had, or a head of another width.
    """
    if config.class_weights is not None:
        check_clip(config.model, config.pretrained, config.weights)
        check_width(config, clip_width(config.model))


def head_of(
    config: IndexConfig, clip: Clip, classes: Sequence[ClassLabel], texts: Tensor
) -> LinearHead:
    """Return the head of a run over its classes, whose text embeddings are `texts` (K, D).

    Raises:
        UserError: for a file of class weights that is no longer what it was.
    """
    if config.class_weights is None:
        return text_head(clip.model, texts)
    weights, bias = rows_of(config, classes)
    return LinearHead(
        torch.from_numpy(weights).to(clip.device),
        None if bias is None else torch.from_numpy(bias).to(clip.device),
        config.features == "normalised",
    )
