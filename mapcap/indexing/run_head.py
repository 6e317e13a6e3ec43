"""The head that a run classifies with: of its class texts, or the one that a person brought."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mapcap.classifiers.kinds import check_classifier
from mapcap.classifiers.records import OPTION, Classifier
from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Dataset
from mapcap.heads import LinearHead, text_head
from mapcap.networks.clip import Clip, clip_width
from mapcap.networks.clip_check import check_clip
from mapcap.networks.loading import check_networks
from mapcap.predictions import check_width, rows_of
from mapcap.predictions.rows import Outputs, match_outputs, output_of_each
from mapcap.text import clean, counted


def check_head(config: IndexConfig) -> None:
    """Check a person's head against its CLIP, before any weights of that are loaded.

    Raises:
        UserError: for a CLIP that cannot be had, or a head of another width.
    """
    if config.class_weights is not None:
        check_clip(config.model, config.pretrained, config.weights)
        check_width(config, clip_width(config.model))


def match_classifier(
    config: IndexConfig, dataset: Dataset
) -> tuple[Dataset, list[tuple[str, None]]]:
    """Return the photos with the classes of the run's network, and what to say of it.

    Raises:
        UserError: for a network that cannot be had, or whose classes are not the photos'.
    """
    # What is wrong by what is here is known before the hub is asked for a network's classes.
    check_networks(config, reach=False)
    outputs = _outputs(config)
    dataset, lines = match_outputs(outputs, config, dataset)
    what = f"predictions: {config.classifier}: {counted(outputs.count, 'class')}"
    return dataset, [(line, None) for line in (what, *lines)]


def classifier_head(
    config: IndexConfig, classifier: Classifier, classes: Sequence[ClassLabel]
) -> LinearHead:
    """Return the last layer of a run's network with its outputs in the order of the classes."""
    order, head = output_of_each(_outputs(config), config, classes), classifier.head
    bias = None if head.bias is None else head.bias[order]
    return LinearHead(head.weights[order], bias, head.normalised)


def _outputs(config: IndexConfig) -> Outputs:
    assert config.classifier is not None, "asked for where the configuration names a network"
    sketch = check_classifier(config.classifier)
    where = f"{OPTION} {clean(config.classifier)}"
    return Outputs(where, sketch.count, sketch.names, "Name them with --class-order FILE.")


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
