"""A CLIP so small that a job of many photos is what MapCap itself does with them."""

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from mapcap.networks.quiet import quiet

_CONFIG = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 32,
            "patch_size": 8,
            "width": 32,
            "head_width": 16,
            "layers": 1,
        },
        "text_cfg": {"width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
}


def write_small_clip(folder: Path) -> None:
    """Write one block of random weights as open_clip reads it."""
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(_CONFIG))
    torch.manual_seed(0)
    with quiet():
        model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
