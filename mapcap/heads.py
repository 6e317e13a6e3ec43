"""Linear heads: image features to logits, of class texts, a linear probe or a classifier's own.

Zero-shot classification is such a head, too: its weights are the classes' text embeddings times the
logit scale, on normalised features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.towers import ClipModel


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Logits (B, K) = f(features) W^T + b; called with features (B, D), of which gradients flow."""

    weights: Tensor
    """(K, D)"""
    bias: Tensor | None = None
    """(K,)"""
    normalised: bool = True
    """Whether the features are L2-normalised first."""

    def __call__(self, features: Tensor) -> Tensor:
        """Features (B, D), not normalised, to logits (B, K), float32 or wider."""
        wide = torch.promote_types(features.dtype, torch.float32)
        inputs = features.to(wide)
        if self.normalised:
            inputs = F.normalize(inputs, dim=-1)
        bias = None if self.bias is None else self.bias.to(inputs)
        return F.linear(inputs, self.weights.to(inputs), bias)

    def __len__(self) -> int:
        """Return the number of classes K."""
        return len(self.weights)

    def clone(self) -> "LinearHead":
        """Return a copy; one made outside inference mode can be saved for a backward pass."""
        bias = None if self.bias is None else self.bias.clone()
        return LinearHead(self.weights.clone(), bias, self.normalised)


def text_head(model: ClipModel, texts: Tensor) -> LinearHead:
    """Return the zero-shot head of class texts (K, D), normalised or not.

    Its logits are exp(logit_scale) * cosine, plus the bias where the model has one.
    """
    scale = model.logit_scale.detach()
    wide = torch.promote_types(torch.promote_types(texts.dtype, scale.dtype), torch.float32)
    normalised = F.normalize(texts.detach().to(wide), dim=-1)
    weights = scale.to(texts.device, wide).exp() * normalised
    bias = getattr(model, "logit_bias", None)
    return LinearHead(weights, None if bias is None else bias.detach().expand(len(weights)))
