"""Prompt templates to class weights, image features to logits, logits to predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapcap.errors import UserError
from mapcap.heads import text_head
from mapcap.networks.text_towers import without_padding
from mapcap.networks.towers import ClipModel

DEFAULT_TEMPLATES = ("{}",)

# A list of texts to token ids (n, L), as open_clip's tokenizers do.
Tokenizer = Callable[[list[str]], Tensor]


def openai_templates() -> tuple[str, ...]:
    """Return the 80 ImageNet templates of Radford et al. 2021 (arXiv 2103.00020)."""
    import open_clip

    return tuple(template("{}") for template in open_clip.OPENAI_IMAGENET_TEMPLATES)


def class_weights(
    model: ClipModel,
    tokenizer: Tokenizer,
    class_names: Sequence[str],
    templates: Sequence[str] = DEFAULT_TEMPLATES,
    batch_size: int = 256,
) -> Tensor:
    """Weights (K, D), L2-normalised: the mean over templates of each class's text embeddings.

    Every template holds `{}`, which the class name takes the place of; the embeddings are
    normalised before the mean, and the mean again. Raises `UserError` for a template without `{}`.
    """
    for template in templates:
        if "{}" not in template:
            raise UserError(f"--template {template!r} has no {{}} to put the class name in; add it")
    if not class_names or not templates:
        raise UserError("zero-shot classification needs at least one class name and one template")
    texts = [template.replace("{}", name) for name in class_names for template in templates]
    device = model.logit_scale.device
    embeddings = []
    for start in range(0, len(texts), batch_size):
        tokens = without_padding(model, tokenizer(texts[start : start + batch_size])).to(device)
        with torch.no_grad():
            features = model.encode_text(tokens)
        wide = torch.promote_types(features.dtype, torch.float32)
        embeddings.append(F.normalize(features.to(wide), dim=-1))
    per_class = torch.cat(embeddings).reshape(len(class_names), len(templates), -1)  # (K, T, D)
    return F.normalize(per_class.mean(1), dim=-1)


def class_logits(model: ClipModel, image_features: Tensor, weights: Tensor) -> Tensor:
    """Logits (B, K): exp(logit_scale) * cosine, plus the bias where the model has one.

    `image_features` (B, D), normalised or not; `weights` (K, D) from `class_weights`.
    """
    with torch.no_grad():
        return text_head(model, weights)(image_features)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the logits of B images over K classes say; k = min(5, K).

    Probabilities are the softmax over the classes. Equal logits count in the order of the classes:
    the class that comes first in the list ranks first.
    """

    top: NDArray[np.int64]  # (B, k) class indices, best first
    top_probabilities: NDArray[np.float32]  # (B, k)
    top_logits: NDArray[np.float32]  # (B, k)
    true_probability: NDArray[np.float32]  # (B,)
    true_rank: NDArray[np.int64]  # (B,) 1 = best
    margin: NDArray[np.float32]  # (B,) true logit - best other logit; 0 if there is no other class
    correct: NDArray[np.bool_]  # (B,) rank 1


def predict(logits: Tensor, targets: Tensor, top: int = 5) -> Predictions:
    """Rank the classes of each image: `logits` (B, K), `targets` (B,) the true classes' indices."""
    logits = logits.detach().float().cpu()  # (B, K)
    targets = targets.cpu().long()
    order = logits.argsort(dim=1, descending=True, stable=True)
    best = order[:, :top]  # (B, k)
    probabilities = logits.softmax(1)
    is_true = F.one_hot(targets, logits.shape[1]).bool()  # (B, K)
    true_logit = logits[is_true]
    margin = torch.zeros_like(true_logit)
    if logits.shape[1] > 1:
        margin = true_logit - logits.masked_fill(is_true, float("-inf")).amax(1)
    rank = (order == targets.unsqueeze(1)).int().argmax(1) + 1
    return Predictions(
        top=best.numpy(),
        top_probabilities=probabilities.gather(1, best).numpy(),
        top_logits=logits.gather(1, best).numpy(),
        true_probability=probabilities[is_true].numpy(),
        true_rank=rank.numpy(),
        margin=margin.numpy(),
        correct=(rank == 1).numpy(),
    )
