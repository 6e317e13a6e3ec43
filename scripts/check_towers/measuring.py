"""What is measured of an architecture: features, `pooled` and maps against other computations."""

import copy
from dataclasses import dataclass
from typing import Any

import open_clip
import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.attention import exposed
from mapcap.errors import UserError
from mapcap.heads import text_head
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.last_block import LastBlock, read_pooled
from mapcap.networks.last_layer import Last, before_last_layer, read_regions
from mapcap.networks.towers import Tower, VisionTower, vision_tower
from mapcap.relevance import METHODS, Asked, open_scene, relevance_maps
from scripts.check_towers.building import build, family_of
from scripts.check_towers.plain import plain_chefer, plain_grad_cam

TOLERANCE = 1e-4


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
    texts[2] = -texts[0]  # where Grad-CAM is nowhere above 0 for one, it is for the other
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
        expected = [plain_grad_cam(wide, images, texts, targets)]
    else:
        got = [relevance_maps(model, images, head, [targets], start)[0] for start in (0, -1)]
        expected = [plain_chefer(wide, tower, images, texts, targets, s) for s in (0, -1)]
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
