"""Maps once more in float64, by another computation than MapCap's."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapcap.attention import Interception
from mapcap.networks.towers import VisionTower


def _score(wide: Any, features: Tensor, texts: Tensor, targets: Tensor) -> Tensor:
    cosines = F.normalize(features, dim=-1) @ texts.double().T
    logits: Tensor = wide.logit_scale.exp() * cosines
    return logits.gather(1, targets[:, None]).sum()


def plain_chefer(
    wide: Any, tower: VisionTower, images: Tensor, texts: Tensor, targets: Tensor, start: int
) -> Tensor:
    """The paper's whole matrix R, head by head, with attention written out: (B, gh, gw)."""
    layers: list[Tensor] = []

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        weights = torch.einsum("bhqd,bhnd->bhqn", q * scale, k).exp()
        layers.append((weights / weights.sum(-1, keepdim=True)).requires_grad_())
        return torch.einsum("bhqn,bhnd->bhqd", layers[-1], v)

    with Interception(attend), torch.enable_grad():
        features = wide.encode_image(images.double())
        gradients = torch.autograd.grad(_score(wide, features, texts, targets), layers)
    passed = []
    for a, g in zip(layers, gradients, strict=True):
        heads = [(a[:, h] * g[:, h]).detach().clamp(min=0) for h in range(a.shape[1])]
        passed.append(torch.stack(heads).sum(0) / len(heads))
    pool = passed.pop() if tower.pool is not None else None
    chosen = passed[start % len(layers) :]
    identity = torch.eye(layers[0].shape[-1], dtype=torch.float64)
    relevance = identity.repeat(len(images), 1, 1)
    for layer in chosen:
        relevance = relevance + layer @ relevance
    if pool is not None:
        read = (pool @ relevance)[:, 0]
    elif tower.reading == "mean":
        read = (relevance - identity)[:, tower.prefix :].mean(1)
    else:
        read = relevance[:, 0]
    return read[:, tower.prefix :].reshape(-1, *tower.grid)


def plain_grad_cam(wide: Any, images: Tensor, texts: Tensor, targets: Tensor) -> Tensor:
    """Grad-CAM at what the head is given, from a hook of its own: (B, gh, gw)."""
    visual, stages = wide.visual, []
    head = visual.attnpool if hasattr(visual, "attnpool") else visual.trunk.head

    def keep(_head: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        stages.append(args[0].detach().requires_grad_())
        return (stages[0],)

    with head.register_forward_pre_hook(keep), torch.enable_grad():
        features = wide.encode_image(images.double())
        (gradient,) = torch.autograd.grad(_score(wide, features, texts, targets), stages[0])
    total = torch.zeros_like(gradient[:, 0])
    for channel in range(gradient.shape[1]):
        weight = gradient[:, channel].mean((1, 2), keepdim=True)
        total += weight * stages[0][:, channel].detach()
    return total.clamp(min=0)
