"""Linear layers that multiply in bfloat16, where a CPU does so in hardware.

Between the layers everything stays float32, and so does the head: of a language model's logits
bfloat16 keeps two digits, and a PMI is a difference of their sums.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from mapcap.networks.linears import FEWEST_ROWS, OneDnnLinear, multiply


class HalfLinear(nn.Module):
    """A layer whose products of many rows are made in bfloat16; float32 in, float32 out."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        transposed = layer.transposed if isinstance(layer, OneDnnLinear) else type(layer) is Conv1D
        weight = layer.weight.t() if transposed else layer.weight
        self._half = weight.detach().to(torch.bfloat16).contiguous()  # (N, K)
        self._bias = None if layer.bias is None else layer.bias.detach().to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., K) to (..., N)."""
        if torch.is_grad_enabled() or x.numel() < FEWEST_ROWS * x.shape[-1]:
            result: Tensor = self.layer(x)
            return result
        return multiply(x.to(torch.bfloat16), self._half, self._bias).to(x.dtype)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tell whether a device is a CPU that multiplies bfloat16 in hardware, and torch knows it."""
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, and not in every torch
    return device.type == "cpu" and asked is not None and bool(asked())


class InBFloat16:
    """A language model's layers in bfloat16, all but its head; `undo` brings the old ones back."""

    def __init__(self, network: PreTrainedModel) -> None:
        self._replaced: list[tuple[nn.Module, str, nn.Module]] = []
        untyped: Any = network
        head = untyped.get_output_embeddings()
        for module in list(network.modules()):
            for name, child in list(module.named_children()):
                if type(child) in (nn.Linear, Conv1D, OneDnnLinear) and child is not head:
                    self._replaced.append((module, name, child))
                    setattr(module, name, HalfLinear(child))

    def undo(self) -> None:
        """Put the layers back that were there before."""
        for module, name, layer in self._replaced:
            setattr(module, name, layer)
