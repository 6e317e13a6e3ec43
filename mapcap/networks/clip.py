"""Loading CLIP through open_clip: published weights, folders, and the embedded network."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CustomTextCLIP, resize_pos_embed
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor

from mapcap.errors import UserError
from mapcap.networks import hugging_face_clip
from mapcap.networks.clip_names import (
    HF_HUB,
    HUGGING_FACE,
    LOCAL_DIR,
    check_name,
    folder_of,
    training_of,
)
from mapcap.networks.devices import DTYPE
from mapcap.networks.embedded import MINI
from mapcap.networks.failures import describe
from mapcap.networks.geometry import Sight, Size
from mapcap.networks.linears import use_onednn
from mapcap.networks.quiet import quiet
from mapcap.networks.torchscript import is_torchscript
from mapcap.networks.towers import Tower, vision_tower
from mapcap.networks.weights import fill, is_quantised, load_weights

_CONFIG = "open_clip_config.json"
_OPENAI_SIZES = ("input_resolution", "context_length", "vocab_size")
"""Numbers that OpenAI's archives hold beside the weights."""


@dataclass(frozen=True)
class Clip(Sight):
    """A CLIP ready for inference, and what its inputs look like."""

    model: Any
    """The open_clip network (which has no types), in eval mode, no parameter asking gradients."""
    preprocess: Callable[[Image.Image], Tensor]
    """open_clip's own inference transform: a PIL picture -> (3, H, W), normalised, float32."""
    tokenizer: Callable[[list[str]], Tensor]
    """Texts -> token ids (B, L)."""
    name: str
    pretrained: str | None
    grid: Size
    """Rows and columns of patches."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    embed_dim: int
    device: torch.device
    dtype: torch.dtype


def load_clip(
    name: str,
    pretrained: str | None = None,
    weights: str | None = None,
    *,
    image_size: int | None = None,
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> Clip:
    """Load a CLIP by open_clip's name, `hf-hub:REPO`, `local-dir:FOLDER`, `hf:NAME` or `mini`.

    `pretrained` is open_clip's tag of the weights or a file of weights, and belongs to open_clip's
    own names only; `weights` is a file that holds the weights of that tag. Weights trained with
    QuickGELU get it, whatever the name says, and photos are prepared as the tag asks. OpenAI's
    TorchScript archives are read without running them. `mini` and every folder whose weights are
    complete load without the network.

    Raises:
        UserError: the name, tag, folder or file does not exist or cannot be read, or how the vision
            tower is read is not known.
    """
    folder = check_name(name, pretrained, weights)
    sized = _sized(name, image_size)
    if name.startswith(HUGGING_FACE):
        with quiet():
            model, tokenizer, embed_dim = hugging_face_clip.load(name)
        model = model.to(device=device, dtype=dtype or DTYPE).eval().requires_grad_(False)
        return _describe(model, tokenizer, name, pretrained, embed_dim)
    if folder is not None:
        source = f"{LOCAL_DIR}{folder}"
        with quiet():
            model = _from_folder(folder, name)
    elif name.startswith(HF_HUB):
        source, model = name, _create(name, name, **sized)
    else:
        source = name.replace("/", "-")
        model = _published(name, source, pretrained, weights, sized)
    tokenizer = _tokenizer(name, source)
    model = model.to(device=device, dtype=dtype or DTYPE).eval().requires_grad_(False)
    if isinstance(model, CustomTextCLIP):
        use_onednn(model.text)  # captions are many more texts than class names
    embed_dim = open_clip.get_model_config(source)["embed_dim"]
    return _describe(model, tokenizer, name, pretrained, embed_dim)


def _sized(name: str, image_size: int | None) -> dict[str, Any]:
    """Return what makes open_clip build a CLIP for another size of pictures.

    Raises:
        UserError: it is not built by open_clip's table or the hub's configuration.
    """
    if image_size is None:
        return {}
    if name == MINI or name.startswith((LOCAL_DIR, HUGGING_FACE)):
        raise UserError(
            f"--image-size {image_size}: only CLIPs of open_clip's names and {HF_HUB}REPO take "
            f"another size than they were trained with, and --model is {name}. Leave it out."
        )
    return {"force_image_size": image_size}


def _published(
    name: str, source: str, pretrained: str | None, weights: str | None, sized: dict[str, Any]
) -> Any:
    """Build a CLIP of open_clip's table, with the weights of a tag or of a file."""
    made = training_of(source, pretrained)
    file = weights or (pretrained if pretrained and Path(pretrained).is_file() else None)
    if file is None:
        quick = made.quick_gelu
        return _create(name, source, pretrained=pretrained, force_quick_gelu=quick, **sized)
    options: dict[str, Any] = {
        "force_quick_gelu": made.quick_gelu,
        "force_preprocess_cfg": dict(made.preprocess),
        **sized,
    }
    if not is_torchscript(file):
        return _create(name, source, pretrained=file, **options)
    with quiet():
        model = _create(name, source, filled=False, pretrained_text=False, **options)
    state = load_weights(file)
    if sized:
        resize_pos_embed(state, model)
    fill(model, {k: v for k, v in state.items() if k not in _OPENAI_SIZES}, file)
    return model


def outline_clip(name: str, image_size: int | None = None) -> Any:
    """Build a CLIP from its configuration alone, on torch's `meta`: every module and no weights.

    Raises:
        UserError: the configuration does not exist or cannot be read, or takes no `image_size`.
    """
    options = _sized(name, image_size)
    if name.startswith(HUGGING_FACE):
        with quiet(), torch.device("meta"):
            return hugging_face_clip.outline(name)
    folder = folder_of(name)
    source = name.replace("/", "-") if not name.startswith(HF_HUB) else name
    if folder is not None:
        source, options = f"{LOCAL_DIR}{folder}", _folder_options(folder, name)
    with quiet(), torch.device("meta"):
        return _create(name, source, filled=False, pretrained_text=False, device="meta", **options)


def clip_width(name: str) -> int:
    """Return the width D of a CLIP's features by its configuration; `check_clip` comes before."""
    folder = folder_of(name)
    source = name if name.startswith(HF_HUB) else name.replace("/", "-")
    return int(
        open_clip.get_model_config(f"{LOCAL_DIR}{folder}" if folder else source)["embed_dim"]
    )


def _folder_options(folder: Path, name: str) -> dict[str, Any]:
    """Return what a folder's configuration means where the folder lies now."""
    config = _folder_config(folder, name)
    text = config["model_cfg"]["text_cfg"]
    overrides: dict[str, Any] = {}
    hugging_face = text.get("hf_model_name")
    if hugging_face and (folder / hugging_face).is_dir():
        # "." in the configuration means the folder itself, wherever it was installed.
        tower = str((folder / hugging_face).resolve())
        overrides["text_cfg"] = {**text, "hf_model_name": tower, "hf_model_pretrained": False}
    return overrides


def _from_folder(folder: Path, name: str) -> Any:
    overrides = _folder_options(folder, name)
    source = f"{LOCAL_DIR}{folder}"
    weights = next((p for p in sorted(folder.glob("*.safetensors")) if is_quantised(p)), None)
    if weights is None:
        return _create(name, source, **overrides)
    model = _create(name, source, filled=False, pretrained_text=False, **overrides)
    fill(model, load_weights(weights), weights)
    return model


def _folder_config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / _CONFIG
    if not path.is_file():
        what = f"has no {_CONFIG}" if folder.is_dir() else "does not exist"
        raise UserError(
            f"--model {name}: the folder {folder} {what}. "
            "Give the folder that open_clip's push_to_hf_hub or save_for_hf wrote."
        )
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        towers = [config["model_cfg"][tower] for tower in ("vision_cfg", "text_cfg")]
    except (ValueError, KeyError, TypeError):
        towers = [None]
    if not all(isinstance(tower, dict) for tower in towers):
        raise UserError(f"--model {name}: {path} is not open_clip's configuration.")
    return config


def _create(name: str, source: str, *, filled: bool = True, **options: Any) -> Any:
    try:
        # Without require_pretrained, weights that cannot be fetched leave a random network.
        return open_clip.create_model(
            source,
            weights_only=True,
            load_weights=filled,
            require_pretrained=filled,
            **options,
        )
    except Exception as error:  # open_clip, its downloader and torch fail in many ways
        raise not_loaded(name, describe(error)) from error


def _tokenizer(name: str, source: str) -> Any:
    try:
        return open_clip.get_tokenizer(source)
    except Exception as error:  # transformers and its downloader fail in many ways
        raise not_loaded(name, describe(error)) from error


def not_loaded(name: str, reason: str) -> UserError:
    """Return what to tell of a CLIP that cannot be had."""
    ways = f"and add --weights FILE, or give --model {LOCAL_DIR}FOLDER"
    if name.startswith(HUGGING_FACE):
        ways = f"and give --model {HUGGING_FACE}FOLDER"
    return UserError(
        f"--model {name}: could not be loaded ({reason}). Without a network, fetch the weights "
        f"elsewhere {ways}; --model {MINI} needs none."
    )


def _describe(
    model: Any, tokenizer: Any, name: str, pretrained: str | None, embed_dim: int
) -> Clip:
    prepared = dict(model.visual.preprocess_cfg)
    if isinstance(prepared["size"], list):  # as a folder's configuration says rows and columns
        prepared["size"] = tuple(prepared["size"])
    config = PreprocessCfg(**prepared)
    size = config.input_size[1:]
    weight = next(model.parameters())
    return Clip(
        model=model,
        preprocess=image_transform_v2(config, is_train=False),
        tokenizer=tokenizer,
        name=name,
        pretrained=pretrained,
        size=(size[0], size[1]),
        grid=known_tower(model.visual, name).grid,
        mean=tuple(config.mean),
        std=tuple(config.std),
        resize_mode=config.resize_mode,
        embed_dim=embed_dim,
        device=weight.device,
        dtype=weight.dtype,
    )


def known_tower(visual: Any, name: str) -> Tower:
    """Describe the vision tower of a CLIP of that name.

    Raises:
        UserError: how it is read is not known.
    """
    try:
        return vision_tower(visual)
    except UserError as error:
        raise UserError(f"--model {name}: {error}") from error
