"""Grad-CAM: where the features that speak for a target are active.

Selvaraju et al. 2017 (arXiv 1610.02391, equations 1 and 2): each channel of the last stage weighs
as much as its gradient says on average over the picture; the weighted sum of the channels is kept
where it is above 0.
"""

import torch
from torch import Tensor


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Maps (B, H, W) of at least 0 from a stage's activations and the target's gradients there.

    Both (B, C, H, W). Sums are float32 or wider, whatever the network's dtype; no graph is kept.
    """
    wide = torch.promote_types(activations.dtype, torch.float32)
    channels = gradients.detach().to(wide).mean((2, 3))  # (B, C)
    return torch.einsum("bc,bchw->bhw", channels, activations.detach().to(wide)).clamp(min=0)
