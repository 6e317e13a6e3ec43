"""Attention and its gradients to relevance: per patch of an image, per token of a text.

Chefer, Gur and Wolf 2021 (arXiv 2103.15679), the CLIP case: with A the attention of a layer and G
the gradient of the target with respect to it, C = mean over heads of max(0, G * A) and R <- R + C R
from R = I, first layer to last. Only one row of R is ever read, that of the token the tower's
output is taken from, and this row r obeys r <- r + r C from the last layer to the first: a vector
is carried in place of a matrix. An attention pool is one more layer, the last; nothing goes past
it, so that there r <- r C. Where the output is the mean of the patches, r is the mean of their
rows; what each patch gets by itself, the same for all, is left out.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.attention import exposed, first_layer
from mapcap.heads import LinearHead, text_head
from mapcap.networks.text_towers import text_tower
from mapcap.networks.towers import (
    ClipModel,
    as_input,
    cosine_logits,
    require_attention,
    vision_tower,
)
from mapcap.relevance.scene import ROLES, Asked, Scene


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Chefer's relevance (M, gh, gw); of the last layer alone it costs no further run."""
    depth = scene.transformer.depth
    if first_layer(start_layer, depth) == depth - 1:
        return _last_layer(scene, asked)
    return _several_layers(scene, asked, start_layer)


def _last_layer(scene: Scene, asked: Asked) -> Tensor:
    """Relevance of the last layer, of which only what the output reads is computed.

    With R = I before it, the row is that of I + C: what a token gets by itself is not asked.
    """

    def row(target: Tensor) -> Tensor:
        score = (logit_weights(target, scene.logits) * scene.logits).sum()
        (gradient,) = torch.autograd.grad(score, scene.leaf, retain_graph=True)
        return scene.read_row(layer_relevance(scene.leaf, gradient))  # (B, N)

    return scene.as_grids(asked.choose(scene.logits.shape[1], row))


def _several_layers(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Relevance of several layers, which takes a run of its own with all of them in the open.

    Correct and misclassified images apart: only the latter pay for three backward passes.
    """
    targets, by_image = asked.targets(len(scene.head)), dict[int, Tensor]()
    for count in (1, len(ROLES)):
        rows = np.flatnonzero(asked.counts == count)
        if rows.size:
            wanted = [target[rows] for target in targets[:count]]
            of_roles = relevance_maps(
                scene.model, scene.images[rows], scene.head, wanted, start_layer
            )
            by_image.update(zip(rows.tolist(), torch.stack(of_roles, 1), strict=True))
    return torch.cat([by_image[image] for image in range(len(scene.images))])


def chefer(
    model: ClipModel,
    images: Tensor,
    text_features: Tensor,
    targets: Tensor | None = None,
    start_layer: int = -1,
) -> Tensor:
    """Relevance of each patch for the match of each image with one text.

    `images` (B, 3, H, W) preprocessed; `text_features` (K, D) L2-normalised; `targets` (B,) indices
    into K, None for each image's best text; `start_layer` the first layer that counts (-1: the last
    alone). Returns (B, gh, gw) raw scores >= 0, no min-max, in float32 or wider. See
    `relevance_maps` for what is asked of the model.
    """
    head = text_head(model, text_features)
    return relevance_maps(model, images, head, [targets], start_layer)[0]


def relevance_maps(
    model: ClipModel,
    images: Tensor,
    head: LinearHead,
    targets: Sequence[Tensor | None],
    start_layer: int = -1,
) -> list[Tensor]:
    """Relevance maps of one batch for several targets: one forward pass, a backward pass each.

    A target is (B,) indices into the K classes of `head`, or (B, K) weights of the logits (the
    contrast s(predicted) - s(true) has +1 and -1), or None for each image's best class. The other
    arguments and each (B, gh, gw) of the result are as in `chefer`.

    The model should be in eval mode; in half precision the
    attention, its gradient and all sums are float32. Works under the caller's `no_grad` and
    `inference_mode` (unless the model itself was loaded under the latter), collects no `.grad` and
    changes nothing in the model. Raises `UserError` for a vision tower whose reading is not known.
    """
    tower = require_attention(vision_tower(model.visual))
    with torch.inference_mode(False):
        with exposed(tower.depth, start_layer) as attention:
            features = model.encode_image(as_input(model.visual, images))
        with torch.enable_grad():
            # A clone, since a tensor made in inference mode cannot be saved for the backward pass.
            logits = head.clone()(features)  # (B, K)
            scores = [(logit_weights(target, logits) * logits).sum() for target in targets]
        initial = tower.queries(attention[-1].shape[2]).to(attention[-1]).expand(len(features), -1)
        pooled = tower.pool is not None
        rows = [_gained(initial, attention, score, pooled) for score in scores]
    return [row[:, tower.prefix :].reshape(-1, *tower.grid) for row in rows]


def chefer_text(
    model: ClipModel,
    images: Tensor,
    tokens: Tensor,
    start_layer: int = -1,
    proper: Tensor | None = None,
) -> Tensor:
    """Relevance of each token for the match of image b with text b.

    `images` (B, 3, H, W) preprocessed, or their features (B, D); `tokens` (B, L) ids of the model's
    tokenizer; `proper` (B, L) which of them are the text's own (`networks.tokens.proper_tokens`),
    None: all between the first token and the end token; `start_layer` as in `chefer`, but of the
    text tower. Returns (B, L) raw scores >= 0: the row of R that the tower reads its output from
    (that of the end-of-text token or of the last one; in Hugging Face towers that of the CLS token,
    or the mean of the rows that a mean pooler averages), zero outside the text proper. Conditions
    as in `relevance_maps`; raises `UserError` for a text tower that is read in another way.
    """
    tower = text_tower(model)
    with torch.inference_mode(False):
        image_features = images.clone()
        if images.ndim == 4:
            with torch.no_grad():
                image_features = model.encode_image(as_input(model.visual, images))
        tokens = tokens.to(image_features.device)
        with exposed(tower.depth, start_layer) as attention:
            text_features = model.encode_text(tokens)
        with torch.enable_grad():
            score = cosine_logits(model, image_features, text_features).diagonal().sum()
        initial = tower.read(tokens).to(attention[0])
        row = initial + _gained(initial, attention, score)  # (B, L)
    if proper is None:
        position = torch.arange(tokens.shape[1], device=tokens.device)
        proper = (position > 0) & (position < tower.end(tokens).unsqueeze(1))
    return row[:, : tokens.shape[1]].masked_fill(~proper.to(row.device), 0)


def logit_weights(target: Tensor | None, logits: Tensor) -> Tensor:
    """Turn a target of `relevance_maps` into weights (B, K) of logits (B, K), on their device."""
    if target is None:
        target = logits.argmax(-1)
    if target.ndim == 1:
        target = F.one_hot(target.long(), logits.shape[1])
    if target.shape != logits.shape:
        raise ValueError(f"a target has shape {tuple(target.shape)}, not {tuple(logits.shape)}")
    return target.to(logits.device, logits.dtype, copy=True)


def _gained(
    initial: Tensor, attention: Sequence[Tensor], score: Tensor, pooled: bool = False
) -> Tensor:
    """What a row (B, Q) gains from the last layer's attention (B, H, Q, N) to the first's: (B, N).

    It is carried apart from the row itself: of a mean over many patches the gain is so much the
    smaller that adding it to the row and taking it off again would leave few of its digits.
    """
    row, gained = initial, torch.zeros_like(attention[-1][:, 0, 0])
    gradients = torch.autograd.grad(score, attention, retain_graph=True)
    for probabilities, gradient in zip(reversed(attention), reversed(gradients), strict=True):
        layer = layer_relevance(probabilities, gradient)
        if pooled and probabilities is attention[-1]:
            row, gained = gained, torch.einsum("bq,bqn->bn", row, layer)
        else:
            gained = gained + torch.einsum("bn,bnm->bm", row + gained, layer)
    return gained


def layer_relevance(probabilities: Tensor, gradient: Tensor) -> Tensor:
    """C (B, N, N) of a layer: the mean over heads of max(0, gradient * attention) (B, H, N, N)."""
    # The clamp belongs before the mean over heads.
    return (gradient * probabilities.detach()).clamp(min=0).mean(1)
