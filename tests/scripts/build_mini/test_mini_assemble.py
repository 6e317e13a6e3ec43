from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from scripts.build_mini.assemble import DEPTH, vision_state
from scripts.build_mini.vision import End, tokens_before_end


def test_the_heads_bias_is_folded_into_the_norm(
    make_vit: Callable[[int], Any], images: Tensor
) -> None:
    vit = make_vit(DEPTH)
    base = {name: tensor.clone() for name, tensor in vit.state_dict().items()}
    end = End(vit)
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in end.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    with torch.no_grad():
        expected = end(tokens_before_end(vit, images))
    assembled = make_vit(DEPTH)
    assembled.load_state_dict(vision_state(base, end.state_dict()))
    with torch.no_grad():
        found = assembled(images)
    assert end.head.bias.abs().max() > 0.05
    assert torch.allclose(found, expected, atol=2e-3, rtol=1e-3)
