"""Grad-CAM: where the features that speak for a target are active.

Selvaraju et al. 2017 (arXiv 1610.02391, equations 1 and 2): each channel of the last stage weighs
as much as its gradient says on average over the picture; the weighted sum of the channels is kept
where it is above 0.
"""

import torch
from torch import Tensor, nn

from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.towers import VisionTower, cosine_logits
from mapcap.relevance.propagation import logit_weights
from mapcap.relevance.scene import Asked, Scene


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Maps (B, H, W) of at least 0 from a stage's activations and the target's gradients there.

    Both (B, C, H, W). Sums are float32 or wider, whatever the network's dtype; no graph is kept.
    """
    wide = torch.promote_types(activations.dtype, torch.float32)
    channels = gradients.detach().to(wide).mean((2, 3))  # (B, C)
    return torch.einsum("bc,bchw->bhw", channels, activations.detach().to(wide)).clamp(min=0)


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Grad-CAM (M, gh, gw) at the last stage; of a transformer at what its last layer is given.

    `start_layer` has no part. A transformer runs once more, since the pass keeps of its last layer
    only what the output reads.
    """
    if isinstance(scene.tower, ConvolutionalTower):
        given, cosines = scene.leaf, scene.cosines
    else:
        given, cosines = _before_last_layer(scene, scene.tower)

    def of_role(target: Tensor) -> Tensor:
        score = (logit_weights(target, cosines) * cosines).sum()
        (gradient,) = torch.autograd.grad(score, given, retain_graph=True)
        return grad_cam(_as_stage(scene, given), _as_stage(scene, gradient))

    return asked.choose(len(scene.weights), of_role)


def _before_last_layer(scene: Scene, tower: VisionTower) -> tuple[Tensor, Tensor]:
    """Tokens (B, N, width) that the last layer is given, a leaf, and the logits (B, K) of them."""
    tokens: list[Tensor] = []

    def cut(_layer: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        tokens.append(args[0].detach().requires_grad_())
        torch.set_grad_enabled(True)  # undone by the no_grad around the block
        return (tokens[0], *args[1:])

    with torch.no_grad(), tower.last.register_forward_pre_hook(cut):
        features = scene.run_again()
    return tokens[0], cosine_logits(scene.model, features, scene.weights)


def _as_stage(scene: Scene, given: Tensor) -> Tensor:
    """Patches as a stage has them, (B, C, gh, gw), of tokens (B, N, C) or of a stage's own."""
    if isinstance(scene.tower, ConvolutionalTower):
        return given
    patches = given[:, scene.tower.prefix :]  # (B, P, C)
    return patches.mT.reshape(*patches.mT.shape[:2], *scene.grid)
