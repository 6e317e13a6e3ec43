"""Image classifiers of transformers: ViT by its attention, ResNet and ConvNeXt by Grad-CAM."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn
from torchvision import transforms
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification

from mapcap.classifiers.records import OPTION, Classifier, Sketch, Trunk, leaf
from mapcap.errors import UserError
from mapcap.heads import LinearHead
from mapcap.networks.failures import describe
from mapcap.networks.hub import unreachable
from mapcap.networks.quiet import quiet
from mapcap.networks.towers import VisionTower
from mapcap.text import clean

_ATTENTION: Final = ("vit",)
_STAGES: Final = ("resnet", "convnext", "convnextv2", "regnet")
_UNNAMED: Final = "LABEL_"


def check(name: str) -> Sketch:
    """Look at a folder or a hub name by its configuration; no weights are fetched."""
    config = _config(name)
    kinds = ", ".join((*_ATTENTION, *_STAGES))
    if config.model_type not in (*_ATTENTION, *_STAGES):
        raise UserError(
            f"{OPTION} hf:{name}: {config.model_type} is not read. What works: {kinds}; or bring "
            "its predictions with --predictions."
        )
    kind = next(iter(config.architectures or []), "")
    if not kind.endswith("ForImageClassification"):
        raise UserError(
            f"{OPTION} hf:{name}: {kind or 'it'} is a network without a head. Name one that ends "
            "in ForImageClassification."
        )
    labels = [str(config.id2label.get(index, "")) for index in range(config.num_labels)]
    if all(label.startswith(_UNNAMED) for label in labels):
        return Sketch(config.num_labels, None)
    return Sketch(config.num_labels, [_names(label) for label in labels])


def _names(label: str) -> list[str]:
    words = label.split(", ")
    return [label, *words] if len(words) > 1 else [label]


def _config(name: str) -> Any:
    if not Path(name).is_dir():
        reason = unreachable(name, ("config.json",))
        if reason is not None:
            raise UserError(
                f"{OPTION} hf:{clean(name)}: no such folder, and from the hub it cannot be had "
                f"({reason}). Give a folder that save_pretrained wrote."
            )
    try:
        return AutoConfig.from_pretrained(name)
    except Exception as error:  # transformers and its downloader fail in many ways
        raise _failed(name, error) from error


def load(name: str) -> Classifier:
    """Load a classifier of a folder or a hub name, with its own preprocessing."""
    check(name)
    try:
        with quiet():
            model: Any = AutoModelForImageClassification.from_pretrained(
                name, attn_implementation="sdpa" if _config(name).model_type == "vit" else None
            )
            processors: Any = AutoImageProcessor  # whose functions have no types
            processor = processors.from_pretrained(name)
    except Exception as error:  # transformers and its downloader fail in many ways
        raise _failed(name, error) from error
    model.eval()
    last = [each for each in model.classifier.modules() if isinstance(each, nn.Linear)][-1]
    head = LinearHead(last.weight.detach(), last.bias.detach(), normalised=False)
    transform, preprocess = _preprocessing(name, processor)
    visual: nn.Module
    stage = None
    if model.config.model_type in _ATTENTION:
        visual = _Vit(model.base_model)
    else:
        visual = _Staged(model.base_model)
        stage = partial(_stage, model.base_model)
    return Classifier(Trunk(visual), head, stage, transform, preprocess)


class _Vit(nn.Module):
    """The trunk of a ViT, read from its CLS token."""

    def __init__(self, base: Any) -> None:
        super().__init__()
        self.base = base

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.base(images).last_hidden_state[:, 0]
        return features

    def vision_tower(self) -> VisionTower:
        """Describe how the output is read, for `mapcap.networks.towers`."""
        patches = self.base.embeddings.patch_embeddings
        side = [
            size // patch
            for size, patch in zip(patches.image_size, patches.patch_size, strict=True)
        ]
        grid = (side[0], side[1])
        # transformers 4 keeps the blocks a level lower.
        base = self.base
        blocks = base.layers if hasattr(base, "layers") else base.encoder.layer
        return VisionTower(blocks, grid, 1, "token", base.layernorm, nn.Identity())


class _Staged(nn.Module):
    """The trunk of a network of convolutions."""

    def __init__(self, base: Any) -> None:
        super().__init__()
        self.base = base

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.base(images).pooler_output.flatten(1)
        return features


def _stage(base: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    held: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        held.append(leaf(output.last_hidden_state))
        output.last_hidden_state = held[0]
        return output

    with base.encoder.register_forward_hook(cut):
        features = base(images).pooler_output.flatten(1)
    return held[0], features


def _preprocessing(name: str, processor: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return a processor's own steps, and the view that they make.

    Raises:
        UserError: for steps that are not resize, centre crop, rescale and normalise.
    """
    size = dict(processor.size)
    crop = dict(processor.crop_size) if getattr(processor, "do_center_crop", False) else None
    share = getattr(processor, "crop_pct", None)
    if "shortest_edge" in size:
        edge = size["shortest_edge"]
        # ConvNeXt's small sizes are resized to more than they are cropped to.
        side = int(edge / share) if share and edge < 384 else edge
        mode = "squash" if share and edge >= 384 else "shortest"
        scale = (side, side)
        target = (edge, edge) if share else scale
    elif {"height", "width"} <= size.keys():
        mode, scale = "squash", (size["height"], size["width"])
        target = scale
    else:
        raise UserError(f"{OPTION} hf:{name}: photos of size {size} are not understood.")
    if crop is not None:
        target = (crop["height"], crop["width"])
    resize = transforms.Resize(
        scale if mode == "squash" else scale[0],
        interpolation=transforms.InterpolationMode(_filter(processor.resample)),
    )
    steps = [resize, transforms.CenterCrop(target), transforms.ToTensor()]
    if processor.do_normalize:
        steps.append(transforms.Normalize(list(processor.image_mean), list(processor.image_std)))
    return transforms.Compose(steps), {"size": target, "scale": scale, "resize_mode": mode}


def _filter(resample: int) -> str:
    from PIL.Image import Resampling

    return Resampling(resample).name.lower()


def _failed(name: str, error: Exception) -> UserError:
    return UserError(f"{OPTION} hf:{clean(name)}: could not be loaded ({describe(error)}).")
