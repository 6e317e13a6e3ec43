"""Classifiers of timm: pretrained by name, or with the weights of a checkpoint."""

import json
from math import floor
from pathlib import Path
from typing import Any, Final

import timm
import torch
from open_clip.timm_model import TimmModel
from timm.data.config import resolve_data_config
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from timm.data.transforms_factory import create_transform
from timm.models import get_pretrained_cfg, is_model, is_model_pretrained, list_models
from torch import Tensor, nn

from mapcap.classifiers.records import OPTION, Classifier, Sketch, Trunk, leaf
from mapcap.errors import UserError, nearest
from mapcap.heads import LinearHead
from mapcap.networks.failures import describe
from mapcap.networks.hub import unreachable
from mapcap.networks.towers import VisionTower, vision_tower
from mapcap.networks.weights import fill, load_weights, outline
from mapcap.text import clean

_RESIZE: Final = {"center": "shortest", "squash": "squash", "border": "longest"}
"""timm's crop modes as `View.of` calls them."""
_FILES: Final = ("model.safetensors", "pytorch_model.bin")


def check(name: str) -> Sketch:
    """Look at `NAME` or `NAME|FILE`; nothing is fetched."""
    network, file = _parts(name)
    config: Any = get_pretrained_cfg(network)
    if config is None:
        raise UserError(
            f"{OPTION} timm:{network}: timm describes no classifier of that name. {_ADVICE}"
        )
    if file is None:
        if not config.num_classes or not config.classifier:
            raise UserError(f"{OPTION} timm:{network}: a network without a head. {_ADVICE}")
        reason = unreachable(config.hf_hub_id, _FILES) if config.hf_hub_id else None
        if reason is not None or not config.has_weights:
            raise UserError(
                f"{OPTION} timm:{network}: its weights cannot be had "
                f"({reason or 'timm publishes none'}). Give a checkpoint: timm:{network}|FILE."
            )
        return Sketch(config.num_classes, _imagenet(config.num_classes))
    shapes, notes = _outline(file)
    head = shapes.get(f"{config.classifier}.weight")
    if head is None:
        raise UserError(
            f"{OPTION} timm:{network}|{file}: a network without a head: the file has no "
            f"{config.classifier}.weight. {_ADVICE}"
        )
    beside = file.with_suffix(".txt")
    names = None
    if "classes" in notes:
        try:
            names = [str(each) for each in json.loads(notes["classes"])]
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{OPTION} timm:{network}|{file}: `classes` in its metadata is no list in JSON."
            ) from error
    elif beside.is_file():
        names = [line.strip() for line in beside.read_text("utf-8").splitlines() if line.strip()]
    if names is None:
        return Sketch(head[0], _imagenet(head[0]))
    if len(names) != head[0]:
        raise UserError(
            f"{OPTION} timm:{network}|{file}: {len(names)} names for a head of {head[0]} classes."
        )
    return Sketch(head[0], [[each] for each in names])


_ADVICE: Final = (
    "Name one that was trained or fine-tuned to classify, or a head on a CLIP's features with "
    "--class-weights."
)


def load(name: str) -> Classifier:
    """Load `NAME` with its published weights, or `NAME|FILE` with those of the file."""
    network, file = _parts(name)
    try:
        if file is None:
            trunk = timm.create_model(network, pretrained=True)
        else:
            trunk = timm.create_model(network, num_classes=check(name).count)
    except Exception as error:  # timm and its downloader fail in many ways
        raise UserError(f"{OPTION} timm:{network}: {describe(error)}") from error
    if file is not None:
        try:
            fill(trunk, load_weights(file), file)
        except UserError as error:
            raise UserError(f"{OPTION} timm:{network}: {error}") from error
    resolve: Any = resolve_data_config  # which has no types
    config = resolve({}, model=trunk)
    height, width = config["input_size"][1:]
    scale = tuple(floor(side / config["crop_pct"]) for side in (height, width))
    return wrap(
        trunk,
        create_transform(**config),
        {
            "size": (height, width),
            "scale": scale,
            "resize_mode": _RESIZE[config["crop_mode"]],
        },
        f"timm:{network}",
    )


def wrap(trunk: Any, transform: Any, preprocess: dict[str, Any], name: str) -> Classifier:
    """Take the head off a timm network, and find how the rest is read.

    Raises:
        UserError: for a network whose head is not linear, or whose maps are not known.
    """
    last = trunk.get_classifier()
    if not isinstance(last, nn.Linear):
        raise UserError(
            f"{OPTION} {name}: its head is {type(last).__name__}, and no linear layer. {_ADVICE}"
        )
    head = LinearHead(last.weight.detach(), _detached(last.bias), normalised=False)
    trunk.reset_classifier(0)
    trunk.eval()
    visual = _as_open_clip(trunk, preprocess["size"])
    try:
        attention = isinstance(vision_tower(visual), VisionTower)
    except UserError as error:
        if not _has_stages(trunk, preprocess["size"]):
            raise UserError(f"{OPTION} {name}: {error}") from error
        attention = False
    stage = None if attention else _stage(trunk)
    return Classifier(Trunk(visual), head, stage, transform, preprocess)


def _as_open_clip(trunk: nn.Module, size: tuple[int, int]) -> nn.Module:
    """Wrap a network as open_clip does, by which `vision_tower` knows how it is read."""
    visual: Any = TimmModel.__new__(TimmModel)
    nn.Module.__init__(visual)
    visual.trunk, visual.head, visual.image_size = trunk, nn.Identity(), size
    wrapped: nn.Module = visual
    return wrapped


def _has_stages(trunk: Any, size: tuple[int, int]) -> bool:
    """Tell whether the network ends in a map of cells with as many channels as its features."""
    with torch.no_grad():
        features = trunk.forward_features(torch.zeros(1, 3, *size))
    return features.ndim == 4 and trunk.num_features in (features.shape[1], features.shape[-1])


def _stage(trunk: Any) -> Any:
    def run(images: Tensor) -> tuple[Tensor, Tensor]:
        features: Tensor = trunk.forward_features(images)
        # Swin and its like keep channels last.
        last = features.shape[1] != trunk.num_features and features.shape[-1] == trunk.num_features
        activations = leaf(features.permute(0, 3, 1, 2) if last else features)
        read = activations.permute(0, 2, 3, 1) if last else activations
        return activations, trunk.forward_head(read)

    return run


def _parts(name: str) -> tuple[str, Path | None]:
    network, bar, file = name.partition("|")
    tagged = "." in network
    if not (is_model_pretrained(network) if tagged else is_model(network)):
        hint = nearest(network, list_models(pretrained=tagged))
        raise UserError(f"{OPTION} timm:{clean(network)}: timm has no such network. {hint}")
    if bar and not Path(file).is_file():
        raise UserError(
            f"{OPTION} timm:{network}|{clean(file)}: there is no such file. Check the path."
        )
    return network, Path(file) if bar else None


def _outline(file: Path) -> tuple[Any, Any]:
    try:
        features = outline(file)
    except UserError as error:
        raise UserError(f"{OPTION} {error}") from error
    return features.shapes, features.notes


def _imagenet(count: int) -> list[list[str]] | None:
    """Return what timm calls the classes of an ImageNet: WordNet id, then its words."""
    subset = infer_imagenet_subset({"num_classes": count})
    if subset is None:
        return None
    info = ImageNetInfo(subset)
    words = [info.index_to_description(index).split(", ") for index in range(count)]
    return [[info.index_to_label_name(index), *words[index]] for index in range(count)]


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()
