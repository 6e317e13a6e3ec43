"""Linear layers by oneDNN, where that multiplies float32 in wider registers than torch's own way.

Torch multiplies float32 matrices on a CPU by MKL, which uses AVX-512 on Intel's processors alone.
On others oneDNN, which torch brings along for half precision, is twice as fast at the same
precision: 225 against 97 GFLOP/s on a core of an AMD EPYC (Zen 5). It rounds otherwise, a little
further from float64: of a PMI by 1e-5 nats.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

# Below so many rows a product waits for the weights to come from memory, whoever multiplies.
FEWEST_ROWS = 8


class OneDnnLinear(nn.Module):
    """A linear layer whose products of many float32 rows on a CPU are oneDNN's; x W^T + b.

    `weight` (N, K) and `bias` (N,) or None are the parameters of the layer it stands for, or a view
    of them: nothing is copied. Whatever oneDNN is of no use for goes torch's own way.
    """

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter | None, transposed: bool) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias
        self.transposed = transposed
        """Whether `weight` is stored as (K, N), as GPT-2 does."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., K) to (..., N)."""
        weight = self.weight.t() if self.transposed else self.weight
        plain = x.device.type != "cpu" or x.dtype != torch.float32 or weight.dtype != x.dtype
        if plain or torch.is_grad_enabled() or x.numel() < FEWEST_ROWS * x.shape[-1]:
            return functional.linear(x, weight, self.bias)
        return multiply(x, weight, self.bias)


def use_onednn(network: nn.Module) -> None:
    """Let a network's linear layers multiply by oneDNN; nothing changes where that is no gain.

    Results differ by rounding. Layers of other kinds than torch's and GPT-2's stay as they are.
    """
    if not _pays():
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            # Not their subclasses, which may do more than multiply.
            if type(child) in (nn.Linear, Conv1D):
                layer: Any = child
                made = OneDnnLinear(layer.weight, layer.bias, transposed=type(child) is Conv1D)
                setattr(module, name, made)


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x W^T + b (..., N) by oneDNN, of x (..., K) and W (N, K) of one dtype, on a CPU."""
    # What torch.compile makes of a linear layer; torch has no public name for it.
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


def _pays() -> bool:
    """Tell whether this processor has AVX-512, and this torch the product, and it is right."""
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(3, 5, generator=generator) for _ in range(2))
    bias = torch.randn(3, generator=generator)
    try:
        with torch.inference_mode():
            product = multiply(x, weight.t().contiguous().t(), bias)
    except Exception:  # private: a torch without oneDNN lacks it, another may call it otherwise
        return False
    return torch.allclose(product, functional.linear(x, weight, bias), atol=1e-5)
