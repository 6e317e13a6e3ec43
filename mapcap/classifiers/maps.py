"""A classifier's own predictions, and the relevance maps of its own logits, from one pass."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapcap.classifiers.records import Classifier
from mapcap.heads import LinearHead
from mapcap.networks.towers import as_input
from mapcap.relevance import METHODS, Asked, open_scene
from mapcap.relevance.gradcam import grad_cam
from mapcap.relevance.propagation import logit_weights
from mapcap.zero_shot import Predictions, predict


@dataclass(frozen=True, eq=False)
class Classified:
    """What a classifier says of B images, with M maps, those of an image together."""

    logits: NDArray[np.float32]
    """(B, K)"""
    predictions: Predictions
    maps: Asked
    grids: NDArray[np.float32]
    """(M, gh, gw), on what the classifier sees"""


def classify(
    classifier: Classifier,
    head: LinearHead,
    images: Tensor,
    true: Tensor,
    method: str,
    start_layer: int,
    half: torch.dtype | None = None,
) -> Classified:
    """Classify images (B, 3, H, W) as the classifier takes them, and map where it looks.

    `head` is its own, with the K classes in the run's order; `true` (B,) the index of each image's
    class. A transformer is read by the relevance `method` from `start_layer` on, in `half` up to
    the last block; where there is no attention it is Grad-CAM.
    """
    # Tensors made in inference mode cannot be saved for the backward pass.
    with torch.inference_mode(False), torch.enable_grad():
        if classifier.stage is None:
            scene = open_scene(classifier.trunk, images, head, half)
            logits = scene.logits
        else:
            activations, features = classifier.stage(as_input(classifier.trunk, images))
            logits = head.clone()(features)
        predictions = predict(logits, true)
        maps = Asked.of(true, torch.from_numpy(predictions.top[:, 0]))
        if classifier.stage is None:
            chosen = METHODS[method](scene, maps, start_layer)
        else:

            def cam(target: Tensor) -> Tensor:
                score = (logit_weights(target, logits) * logits).sum()
                (gradient,) = torch.autograd.grad(score, activations, retain_graph=True)
                return grad_cam(activations, gradient)

            chosen = maps.choose(len(head), cam)
    return Classified(
        logits.detach().float().cpu().numpy(), predictions, maps, chosen.float().cpu().numpy()
    )
