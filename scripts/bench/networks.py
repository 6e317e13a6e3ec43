"""Networks of the published shapes with random weights: time does not depend on what they know."""

import copy
from typing import Any

import open_clip
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from mapcap.errors import UserError
from mapcap.networks.activations import fuse_gelu
from mapcap.networks.linears import use_onednn
from mapcap.networks.quiet import quiet


def clip_of(shape: str, device: torch.device) -> Any:
    """Return a CLIP of open_clip's name with random weights, in eval mode.

    Raises `UserError` for a name that open_clip does not know.
    """
    if shape not in open_clip.list_models():
        raise UserError(f"--shapes {shape}: open_clip has no such model; try ViT-B-32")
    torch.manual_seed(0)
    with quiet():
        model = open_clip.create_model(shape)
    return model.to(device).eval().requires_grad_(False)


def gpt2_small(device: torch.device) -> GPT2LMHeadModel:
    """Return GPT-2 small as transformers makes it, with random weights, in eval mode."""
    torch.manual_seed(0)
    model: Any = GPT2LMHeadModel(GPT2Config())
    model.to(device).eval().requires_grad_(False)
    return model  # type: ignore[no-any-return]


def as_loaded(model: PreTrainedModel) -> PreTrainedModel:
    """Return a copy as MapCap's loaders leave a network."""
    loaded = copy.deepcopy(model)
    fuse_gelu(loaded)
    use_onednn(loaded)
    return loaded
