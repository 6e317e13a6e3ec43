"""A CLIP looked at before its weights, gigabytes perhaps, are fetched and loaded."""

from pathlib import Path

from mapcap.config import ATTENTION_METHODS, IndexConfig
from mapcap.errors import UserError
from mapcap.networks.clip import known_tower, not_loaded, outline_clip
from mapcap.networks.clip_names import HF_HUB, HUGGING_FACE, check_name
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.hub import unreachable
from mapcap.networks.text_towers import text_tower
from mapcap.networks.towers import Tower

_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin", "open_clip_config.json")
_FILES_OF_TRANSFORMERS = ("model.safetensors", "pytorch_model.bin", "config.json")


def check_clip(
    name: str,
    pretrained: str | None,
    weights: str | None = None,
    relevance: str = IndexConfig.relevance,
    image_size: int | None = None,
) -> None:
    """Check that a CLIP can be had, and by its configuration that its towers can be read.

    `relevance` is the method of its maps: some need attention.

    Raises:
        UserError: otherwise.
    """
    check_name(name, pretrained, weights)
    if name.startswith((HF_HUB, HUGGING_FACE)):  # its configuration, too, may be on the hub
        _require_reachable(name)
    _require_towers(name, relevance, image_size)


def _require_reachable(name: str) -> None:
    repository = _repository(name)
    files = _FILES_OF_TRANSFORMERS if name.startswith(HUGGING_FACE) else _FILES
    reason = None if repository is None else unreachable(repository, files)
    if reason is not None:
        raise not_loaded(name, reason)


def _require_towers(name: str, relevance: str, image_size: int | None) -> None:
    model = outline_clip(name, image_size)
    tower = known_tower(model.visual, name)
    if image_size is not None:
        _require_size(name, tower, image_size)
    try:
        text_tower(model)
    except UserError as error:
        raise UserError(f"--model {name}: {error}") from error
    if isinstance(tower, ConvolutionalTower) and relevance in ATTENTION_METHODS:
        raise UserError(
            f"--relevance {relevance}: reads attention, and the vision tower of --model {name} is "
            "made of convolutions. Add --relevance gradcam (or value, or occlusion, which is slow)."
        )


def _require_size(name: str, tower: Tower, image_size: int) -> None:
    """Refuse a size that a tower does not take: its patches must cover the picture.

    Raises:
        UserError: naming the multiple that is asked for.
    """
    if isinstance(tower, ConvolutionalTower):
        raise UserError(
            f"--image-size {image_size}: the vision tower of --model {name} is made of "
            "convolutions; only vision transformers take it. Leave it out."
        )
    usual = outline_clip(name).visual
    size = usual.image_size
    patch = (size if isinstance(size, int) else size[0]) // known_tower(usual, name).grid[0]
    if image_size % patch or tower.grid[0] * patch != image_size:
        raise UserError(
            f"--image-size {image_size}: the patches of --model {name} are {patch} pixels wide. "
            f"Give a multiple, such as {max(1, round(image_size / patch)) * patch}."
        )


def _repository(name: str) -> str | None:
    """Return the hub's repository that a name means, None where it is a folder."""
    if name.startswith(HF_HUB):
        return name.removeprefix(HF_HUB)
    place = name.removeprefix(HUGGING_FACE)
    return None if Path(place).expanduser().is_dir() else place
