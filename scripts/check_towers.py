"""Check how MapCap reads the vision towers of open_clip: each is built small, and measured.

    python -m scripts.check_towers [--family F ...] [--model M ...] [--json]

Each architecture of open_clip's table is built at its own width and kind with two layers (or one
block a stage), a small image, random weights and a small text tower in the place of its own. The
columns are largest differences, relative to the largest number.

forward   features from the last layer on, and with all attention in the open, against encode_image
all       `pooled` over all that the head reads, against encode_image
patches   `pooled` over all patches alone: `all`, but where a class token is among the keys
map       Chefer's map over all layers, and of the last, against another computation in float64;
          of convolutions Grad-CAM

1e-4 or less in all but `patches` passes. The status is 1 if a tower with published weights fails.
"""

import argparse
import copy
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from unittest import mock

import open_clip
import timm
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional as F

from mapcap.attention import Interception, exposed
from mapcap.errors import UserError
from mapcap.heads import text_head
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.last_block import LastBlock, read_pooled
from mapcap.networks.last_layer import Last, before_last_layer, read_regions
from mapcap.networks.quiet import quiet
from mapcap.networks.towers import Tower, VisionTower, vision_tower
from mapcap.relevance import METHODS, Asked, open_scene, relevance_maps

TOLERANCE = 1e-4
_TEXT = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
_FAMILIES = {
    "siglip": "SigLIP", "pe_core": "PE-Core", "eva": "EVA", "vitamin": "ViTamin",
    "fastvit": "FastViT", "vit_base_mci": "MobileCLIP ViT", "convnext": "ConvNeXt",
}  # fmt: skip
"""By what stands in timm's name."""


@dataclass
class Row:
    """What was measured of an architecture; differences are relative to the largest number."""

    name: str
    family: str
    tags: int
    reading: str = ""
    forward: float | None = None
    all: float | None = None
    patches: float | None = None
    map: float | None = None
    fault: str = ""

    @property
    def passes(self) -> bool:
        """Whether all that must agree does."""
        figures = (self.forward, self.all, self.map)
        return not self.fault and all(f is not None and f <= TOLERANCE for f in figures)


def family_of(name: str) -> str:
    """Return the kind of an architecture's vision tower."""
    config = open_clip.get_model_config(name)
    vision = config["vision_cfg"]
    trunk = vision.get("timm_model_name")
    if trunk:
        named = (family for part, family in _FAMILIES.items() if part in trunk)
        return next(named, f"timm {trunk.split('_')[0]}")
    if "multimodal_cfg" in config:
        return "CoCa"
    if isinstance(vision["layers"], list):
        return "ResNet"
    return "CLIPA" if vision.get("pool_type") == "avg" else "ViT"


def build(name: str) -> Any:
    """Build an architecture small, with weights that matter everywhere."""
    config = copy.deepcopy(open_clip.get_model_config(name))
    vision = config["vision_cfg"]
    convolutions = isinstance(vision.get("layers"), list)
    if "layers" in vision and not vision.get("timm_model_name"):
        vision["layers"] = [1, 1, 1, 1] if convolutions else 2
        vision["image_size"] = 128 if convolutions else 4 * vision["patch_size"]
    vision.pop("output_tokens", None)  # they are for CoCa's decoder
    width = config["embed_dim"]
    with _small_trunks(), quiet():
        torch.manual_seed(0)
        # CoCa, too: its decoder is no part of a map, nor is that its features are normalised.
        model = open_clip.model.CustomTextCLIP(
            width, vision, _TEXT, quick_gelu=config.get("quick_gelu", False)
        )
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.visual.parameters():
            scale = 0.03 if parameter.ndim > 1 else 0.05
            parameter.add_(torch.randn(parameter.shape, generator=draw) * scale)
    return model.eval().requires_grad_(False)


@contextmanager
def _small_trunks() -> Iterator[None]:
    """Let timm build two layers, and small images where the trunk takes a size."""
    create = timm.create_model

    def created(name: str, **options: Any) -> Any:
        if name.startswith("convnext"):
            return create(name, **options, depths=(1, 1, 1, 1))
        if name.startswith("fastvit"):
            whole: Any = create(name, device="meta", **options)
            return create(name, **options, layers=(1,) * len(whole.stages))
        if name.startswith("swin"):
            return create(name, **options, depths=(1, 1, 1, 1))
        return create(name, **options, depth=2)

    with mock.patch.object(timm, "create_model", created):
        yield


def measure(name: str) -> Row:
    """Build and measure an architecture."""
    tags = len(open_clip.list_pretrained_tags_by_model(name))
    row = Row(name, family_of(name), tags)
    try:
        model = build(name)
        _fill(row, model, vision_tower(model.visual))
    except UserError as error:
        row.fault = str(error).partition(". ")[0]
    except Exception as error:  # the table is to be whole, whatever fails
        row.fault = f"{type(error).__name__}: {error}"[:200]
    return row


def _fill(row: Row, model: Any, tower: Tower) -> None:
    size = model.visual.image_size
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    draw = torch.Generator().manual_seed(2)
    images = torch.randn(2, 3, height, width, generator=draw)
    targets = torch.tensor([0, 2])
    with torch.no_grad():
        plain = model.encode_image(images)
    texts = F.normalize(torch.randn(3, plain.shape[1], generator=draw), dim=-1)
    head = text_head(model, texts)
    scene = open_scene(model, images, head)
    forwards = [scene.features.detach()]
    if isinstance(tower, VisionTower):
        with exposed(tower.depth, 0):
            forwards.append(model.encode_image(images).detach())
        row.reading = tower.reading
    else:
        row.reading = "head"
    row.forward = max(_difference(each, plain) for each in forwards)
    last = before_last_layer(model, tower, images)
    count = tower.grid[0] * tower.grid[1]
    owner, patches = torch.arange(2), torch.ones(2, count, dtype=torch.bool)
    with torch.no_grad():
        row.patches = _difference(read_regions(tower, last, owner, patches), plain)
        row.all = _difference(_read_all(tower, last, owner, patches), plain)
    wide = copy.deepcopy(model).double()
    if isinstance(tower, ConvolutionalTower):
        got = [METHODS["gradcam"](scene, Asked.of(targets, targets), -1)]
        expected = [_plain_grad_cam(wide, images, texts, targets)]
    else:
        got = [relevance_maps(model, images, head, [targets], start)[0] for start in (0, -1)]
        expected = [_plain_chefer(wide, tower, images, texts, targets, s) for s in (0, -1)]
    row.fault = "" if all(each.any() for each in expected) else "the map is empty"
    row.map = max(_difference(g.double(), e) for g, e in zip(got, expected, strict=True))


def _read_all(tower: Tower, last: Last, owner: Tensor, patches: Tensor) -> Tensor:
    """Features with all that the head reads in sight: of a transformer the class token, too."""
    if isinstance(tower, VisionTower) and isinstance(last, LastBlock) and tower.reading != "mean":
        tokens = F.pad(patches, (tower.prefix, 0), value=True)
        return read_pooled(tower, last, owner, tokens)
    return read_regions(tower, last, owner, patches)


def _difference(got: Tensor, expected: Tensor) -> float:
    scale = expected.abs().max().clamp(min=1e-30)
    return float((got - expected).abs().max() / scale)


def _score(wide: Any, features: Tensor, texts: Tensor, targets: Tensor) -> Tensor:
    cosines = F.normalize(features, dim=-1) @ texts.double().T
    logits: Tensor = wide.logit_scale.exp() * cosines
    return logits.gather(1, targets[:, None]).sum()


def _plain_chefer(
    wide: Any, tower: VisionTower, images: Tensor, texts: Tensor, targets: Tensor, start: int
) -> Tensor:
    """The paper's whole matrix R, head by head, with attention written out: (B, gh, gw)."""
    layers: list[Tensor] = []

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        weights = torch.einsum("bhqd,bhnd->bhqn", q * scale, k).exp()
        layers.append((weights / weights.sum(-1, keepdim=True)).requires_grad_())
        return torch.einsum("bhqn,bhnd->bhqd", layers[-1], v)

    with Interception(attend), torch.enable_grad():
        features = wide.encode_image(images.double())
        gradients = torch.autograd.grad(_score(wide, features, texts, targets), layers)
    passed = []
    for a, g in zip(layers, gradients, strict=True):
        heads = [(a[:, h] * g[:, h]).detach().clamp(min=0) for h in range(a.shape[1])]
        passed.append(torch.stack(heads).sum(0) / len(heads))
    pool = passed.pop() if tower.pool is not None else None
    chosen = passed[start % len(layers) :]
    identity = torch.eye(layers[0].shape[-1], dtype=torch.float64)
    relevance = identity.repeat(len(images), 1, 1)
    for layer in chosen:
        relevance = relevance + layer @ relevance
    if pool is not None:
        read = (pool @ relevance)[:, 0]
    elif tower.reading == "mean":
        read = (relevance - identity)[:, tower.prefix :].mean(1)
    else:
        read = relevance[:, 0]
    return read[:, tower.prefix :].reshape(-1, *tower.grid)


def _plain_grad_cam(wide: Any, images: Tensor, texts: Tensor, targets: Tensor) -> Tensor:
    """Grad-CAM at what the head is given, from a hook of its own: (B, gh, gw)."""
    visual, stages = wide.visual, []
    head = visual.attnpool if hasattr(visual, "attnpool") else visual.trunk.head

    def keep(_head: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        stages.append(args[0].detach().requires_grad_())
        return (stages[0],)

    with head.register_forward_pre_hook(keep), torch.enable_grad():
        features = wide.encode_image(images.double())
        (gradient,) = torch.autograd.grad(_score(wide, features, texts, targets), stages[0])
    total = torch.zeros_like(gradient[:, 0])
    for channel in range(gradient.shape[1]):
        weight = gradient[:, channel].mean((1, 2), keepdim=True)
        total += weight * stages[0][:, channel].detach()
    return total.clamp(min=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table or JSON lines, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", nargs="+", help="only these kinds of tower")
    parser.add_argument("--model", nargs="+", help="only these architectures")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each")
    given = parser.parse_args(arguments)
    names = given.model or open_clip.list_models()
    families = {family.lower() for family in given.family or []}
    names = [n for n in names if not families or family_of(n).lower() in families]
    rows = []
    for name in names:
        began = time.perf_counter()
        rows.append(measure(name))
        if given.json:
            print(json.dumps(asdict(rows[-1]) | {"passes": rows[-1].passes}), flush=True)
        else:
            print(f"{name} {time.perf_counter() - began:.1f} s", file=sys.stderr)
    if not given.json:
        _print(rows)
    return int(any(row.tags and not row.passes for row in rows))


def _print(rows: Sequence[Row]) -> None:
    console = Console(width=max(110, Console().width))
    columns = ("forward", "all", "patches", "map")
    table = Table("family", "reading", "architectures", "tags", *columns, "fails", box=None)
    for key in dict.fromkeys((row.family, row.reading) for row in rows):
        group = [row for row in rows if (row.family, row.reading) == key]
        figures = [[f for row in group if (f := getattr(row, c)) is not None] for c in columns]
        worst = [f"{max(each):.0e}" if each else "" for each in figures]
        fails = [f"{row.name}: {row.fault or 'differs'}" for row in group if not row.passes]
        tags = sum(row.tags for row in group)
        table.add_row(*key, str(len(group)), str(tags), *worst, "; ".join(fails))
    console.print(table)
    passing = [row for row in rows if row.passes]
    tags = sum(row.tags for row in passing)
    console.print(
        f"{len(passing)} of {len(rows)} architectures pass, with {tags} of "
        f"{sum(row.tags for row in rows)} published weights"
    )


if __name__ == "__main__":
    sys.exit(main())
