"""LeGrad: how much each patch's attention would raise the score that a layer's tokens have.

Bousselham et al. 2024 (arXiv 2404.03214): for each layer the score is read off the mean of that
layer's tokens through the rest of the head; its gradient with respect to the layer's attention is
clamped at 0 and averaged over heads and queries; the layers are averaged. Where the tower ends in
an attention pool, each layer's tokens are read through the pool, which is the last layer itself.
"""

import torch
from torch import Tensor

from mapcap.attention import exposed
from mapcap.networks.towers import cosine_logits
from mapcap.relevance.propagation import logit_weights
from mapcap.relevance.scene import Asked, Scene


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """LeGrad (M, gh, gw) over the layers from `start_layer` on, from a run of its own."""
    model, tower = scene.model, scene.transformer
    tokens: list[Tensor] = []
    hooks = [
        block.register_forward_hook(lambda _block, _inputs, output: tokens.append(output))
        for block in tower.blocks
    ]
    try:
        with exposed(tower.depth, start_layer) as attention:
            features = scene.run_again()
    finally:
        for hook in hooks:
            hook.remove()
    if tower.reading == "token":
        tokens = [layer.mean(1, keepdim=True) for layer in tokens]
    read = [tower.read(layer) for layer in tokens]
    if tower.reading == "pool":
        read.append(features)
    logits = [cosine_logits(model, each, scene.weights) for each in read[-len(attention) :]]

    def row(target: Tensor) -> Tensor:
        total = torch.zeros_like(attention[0][:, 0, 0])  # (B, N)
        for of_layer, probabilities in zip(logits, attention, strict=True):
            score = (logit_weights(target, of_layer) * of_layer).sum()
            (gradient,) = torch.autograd.grad(score, probabilities, retain_graph=True)
            total = total + gradient.clamp(min=0).mean((1, 2))
        return total / len(attention)

    return scene.as_grids(asked.choose(len(scene.weights), row))
