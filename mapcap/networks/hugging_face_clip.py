"""CLIP and SigLIP in transformers' format (`hf:NAME`), as open_clip's networks.

The weights are the same under other names, so they are renamed into the modules that MapCap reads
maps from; transformers' own modules are not used.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from huggingface_hub import hf_hub_download
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from torch import nn

from mapcap.errors import UserError
from mapcap.networks.clip_names import HUGGING_FACE
from mapcap.networks.clip_renaming import renamed
from mapcap.networks.failures import describe
from mapcap.networks.weights import fill, load_weights

_WEIGHTS: Final = ("model.safetensors", "pytorch_model.bin")
_PREPARED: Final = "preprocessor_config.json"
_CLIP_VOCABULARY: Final = 49408
_INTERPOLATIONS: Final = {2: "bilinear", 3: "bicubic"}
"""Of Pillow's numbers, those that open_clip has names for."""


def outline(name: str) -> nn.Module:
    """Build the network of `hf:NAME`, a folder or a repository of the hub, without its weights.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    return _build(name, _read_config(name))


def load(name: str) -> tuple[Any, Any, int]:
    """Return the network of `hf:NAME`, its tokenizer and the width of its features.

    Raises:
        UserError: it is not there, cannot be read, or is of another kind.
    """
    config = _read_config(name)
    model: Any = _build(name, config)
    path = _weights(name)
    state = renamed(load_weights(path), config["model_type"], model.state_dict())
    fill(model, state, path)
    model.visual.preprocess_cfg = _preparing(name, config)
    return model, _tokenizer(name, config), _width(config)


def _build(name: str, config: Mapping[str, Any]) -> nn.Module:
    try:
        return _BUILDERS[config["model_type"]](config)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise UserError(
            f"--model {name}: its config.json describes no network that can be built "
            f"({describe(error)})."
        ) from error


def _clip(config: Mapping[str, Any]) -> nn.Module:
    vision, text = config["vision_config"], config["text_config"]
    towers = (
        {
            "image_size": vision.get("image_size", 224),
            "patch_size": vision.get("patch_size", 32),
            **_shape(vision, 768, 12, 12, 3072),
        },
        {
            "context_length": text.get("max_position_embeddings", 77),
            "vocab_size": text.get("vocab_size", _CLIP_VOCABULARY),
            **_shape(text, 512, 12, 8, 2048),
        },
    )
    towers[0]["head_width"] = towers[0]["width"] // towers[0].pop("heads")
    quick = vision.get("hidden_act", "quick_gelu") == "quick_gelu"
    model: nn.Module = CLIP(_width(config), *towers, quick_gelu=quick)
    return model


def _siglip(config: Mapping[str, Any]) -> nn.Module:
    from timm.models.vision_transformer import VisionTransformer

    vision, text = config["vision_config"], config["text_config"]
    tower = {
        "context_length": text.get("max_position_embeddings", 64),
        "vocab_size": text.get("vocab_size", 32000),
        "no_causal_mask": True, "proj_bias": True, "pool_type": "last",
        "norm_kwargs": {"eps": 1e-6}, "act_kwargs": {"approximate": "tanh"},
        **_shape(text, 768, 12, 12, 3072),
    }  # fmt: skip
    shape = _shape(vision, 768, 12, 12, 3072)
    size = vision.get("image_size", 224)
    small = {"timm_model_name": "test_vit", "timm_pool": "token", "timm_proj": "none"}
    model: Any = CustomTextCLIP(
        _width(config), {**small, "image_size": size}, tower, init_logit_bias=-10.0
    )
    # timm's own names have fixed sizes: a trunk of this one takes the place of a small one.
    model.visual.trunk = VisionTransformer(
        img_size=size, patch_size=vision.get("patch_size", 16), embed_dim=shape["width"],
        depth=shape["layers"], num_heads=shape["heads"], mlp_ratio=shape["mlp_ratio"],
        class_token=False, global_pool="map", num_classes=0, act_layer="gelu_tanh",
    )  # fmt: skip
    network: nn.Module = model
    return network


def _shape(
    part: Mapping[str, Any], width: int, layers: int, heads: int, inner: int
) -> dict[str, Any]:
    """Return a tower's shape; a configuration leaves out what is transformers' default."""
    width = part.get("hidden_size", width)
    return {
        "width": width,
        "layers": part.get("num_hidden_layers", layers),
        "heads": part.get("num_attention_heads", heads),
        "mlp_ratio": part.get("intermediate_size", inner) / width,
    }


_BUILDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], nn.Module]]] = {
    "clip": _clip,
    "siglip": _siglip,
}


def _width(config: Mapping[str, Any]) -> int:
    if config["model_type"] == "clip":
        return int(config.get("projection_dim", 512))
    text = config["text_config"]
    return int(text.get("projection_size") or text.get("hidden_size", 768))


def _read_config(name: str) -> dict[str, Any]:
    config = _read_json(name, "config.json")
    parts = (config.get("vision_config"), config.get("text_config"))
    if config.get("model_type") not in _BUILDERS or not all(isinstance(p, dict) for p in parts):
        raise UserError(
            f"--model {name}: it is a network of kind {config.get('model_type')}; of transformers' "
            f"MapCap reads {' and '.join(_BUILDERS)}. Name such a one, or one of open_clip's."
        )
    return config


def _read_json(name: str, file: str) -> dict[str, Any]:
    path = _file(name, file)
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"--model {name}: {path} is not JSON. Fetch it again.") from error
    if not isinstance(read, dict):
        raise UserError(f"--model {name}: {path} holds no configuration. Fetch it again.")
    return read


def _file(name: str, file: str) -> Path:
    """Return the place of a file of `hf:NAME`, fetched if it is the hub's."""
    place = name.removeprefix(HUGGING_FACE)
    folder = Path(place).expanduser()
    if folder.is_dir():
        if not (folder / file).is_file():
            raise UserError(f"--model {name}: the folder has no {file}. Give another folder.")
        return folder / file
    try:
        return Path(hf_hub_download(place, file))
    except Exception as error:  # the hub's client fails in many ways
        raise UserError(
            f"--model {name}: there is no such folder, and the hub did not give {file} "
            f"({describe(error)}). Name another one, or {HUGGING_FACE}FOLDER."
        ) from error


def _weights(name: str) -> Path:
    try:
        return _file(name, _WEIGHTS[0])
    except UserError:
        return _file(name, _WEIGHTS[1])


def _preparing(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return how pictures are prepared, in open_clip's words."""
    read = _read_json(name, _PREPARED)
    size = config["vision_config"].get("image_size", 224)
    mode = "shortest" if read.get("do_center_crop", config["model_type"] == "clip") else "squash"
    given = {
        "size": size,
        "mean": tuple(read.get("image_mean") or ()),
        "std": tuple(read.get("image_std") or ()),
        "interpolation": _INTERPOLATIONS.get(read.get("resample", 3), "bicubic"),
        "resize_mode": mode,
    }
    if len(given["mean"]) != 3 or len(given["std"]) != 3:
        raise UserError(f"--model {name}: its {_PREPARED} has no image_mean and image_std.")
    return given


def _tokenizer(name: str, config: Mapping[str, Any]) -> Any:
    text = config["text_config"]
    if config["model_type"] == "clip" and text.get("vocab_size", 0) in (0, _CLIP_VOCABULARY):
        return SimpleTokenizer(context_length=text.get("max_position_embeddings", 77))
    place = name.removeprefix(HUGGING_FACE)
    folder = Path(place).expanduser()
    clean = "whitespace" if config["model_type"] == "clip" else "canonicalize"
    try:
        return HFTokenizer(
            str(folder) if folder.is_dir() else place,
            context_length=text.get("max_position_embeddings", 64),
            clean=clean,
        )
    except Exception as error:  # transformers fails in many ways
        raise UserError(
            f"--model {name}: its tokenizer cannot be read ({describe(error)})."
        ) from error
