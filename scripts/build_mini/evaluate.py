"""Measure the networks as they are shipped, on photos that no training saw.

Everything runs through the package's public functions, so these are the figures a user gets:
the poster's 25 classes, the 20 kept-out classes, maps against boxes, captions against pixels.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from db.text import clean
from mapcap.captions import tidy
from mapcap.networks.captioners import Captioner, RegionBatch, load_captioner
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clipcap import Caption
from mapcap.networks.devices import pick_device
from mapcap.networks.embedded import MINI
from mapcap.networks.language_models import load_language_model
from mapcap.regions import find_regions
from mapcap.relevance import chefer
from mapcap.representations import encode_images, pooled
from mapcap.zero_shot import class_logits, class_weights
from scripts.build_mini import photos as archive
from scripts.build_mini.appearance import colour_is_right
from scripts.build_mini.classes import FILE, read_classes, split_classes
from scripts.build_mini.scoring import (
    accuracy_per_class,
    box_coverage,
    caption_figures,
    centred_gaussian,
    energy_inside,
    points_inside,
)

BATCH = 64
KEPT_OUT_PHOTOS = 100
LARGEST_BOX = 0.6
"""Larger boxes, as a share of the photo, say nothing: any map lies inside them."""
SIGMAS = (2.0, 1.5)
"""Patches. The issue's yardstick, and the sigma whose Gaussian fits the boxes best."""
SAMPLES = 20

Figures = dict[str, Any]


@dataclass(frozen=True)
class Photos:
    """Some photos, and the class of each as an index into `names`."""

    names: list[str]
    paths: list[Path]
    classes: NDArray[np.int64]

    def batches(self) -> Iterator[slice]:
        """Cut the photos into batches, in order."""
        return (slice(start, start + BATCH) for start in range(0, len(self.paths), BATCH))


def mission_photos(root: Path) -> Photos:
    """List the poster's photos."""
    names = archive.mission_names(root)
    return _photos(names, [archive.of_class(root / archive.MISSION, name) for name in names])


def kept_out_photos(root: Path, table: Path) -> Photos:
    """List photos of the classes that were kept out of the training."""
    classes = read_classes(table)
    names = [photo_class.name for photo_class in classes]
    chosen = [classes[i] for i in split_classes(names, archive.mission_names(root)).kept_out]
    found = [archive.of_class(root, each.wnid)[:KEPT_OUT_PHOTOS] for each in chosen]
    return _photos([each.name for each in chosen], found)


def _photos(names: list[str], found: Sequence[Sequence[Path]]) -> Photos:
    owners = np.repeat(np.arange(len(names)), [len(paths) for paths in found])
    return Photos(names, [path for paths in found for path in paths], owners)


def look(clip: Clip, paths: Sequence[Path]) -> Tensor:
    """Read photos as the network sees them: (B, 3, H, W)."""
    pictures = [Image.open(path).convert("RGB") for path in paths]
    return torch.stack([clip.preprocess(picture) for picture in pictures])


def classify(clip: Clip, photos: Photos) -> Figures:
    """Top-1 among the photos' own classes by their bare names; classes go from worst to best."""
    weights = class_weights(clip.model, clip.tokenizer, photos.names)  # (K, D)
    predicted = []
    for part in photos.batches():
        features = encode_images(clip.model, look(clip, photos.paths[part]))
        predicted.append(class_logits(clip.model, features, weights).argmax(-1).cpu().numpy())
    per_class = accuracy_per_class(np.concatenate(predicted), photos.classes)
    return {
        "photos": len(photos.paths),
        "top-1": float(per_class.mean()),
        "per class": {photos.names[i]: float(per_class[i]) for i in per_class.argsort()},
    }


def true_class_maps(clip: Clip, photos: Photos) -> NDArray[np.float32]:
    """Chefer relevance of the last layer for each photo's own class: (N, gh, gw)."""
    weights = class_weights(clip.model, clip.tokenizer, photos.names)
    maps = []
    for part in photos.batches():
        targets = torch.from_numpy(photos.classes[part])
        grids = chefer(clip.model, look(clip, photos.paths[part]), weights, targets)
        maps.append(grids.float().cpu().numpy())
    return np.concatenate(maps)


def compare_with_boxes(
    clip: Clip, photos: Photos, maps: NDArray[np.float32], boxes: dict[str, archive.Box]
) -> Figures:
    """Energy inside the box and pointing game, beside maps that know nothing of the photo."""
    coverage = []
    for path in photos.paths:
        view = clip.view(*Image.open(path).size)
        box = view.from_original(boxes[f"{path.parent.name}/{path.name}"])
        coverage.append(box_coverage(box, clip.size, clip.grid))
    covered = np.stack(coverage)  # (N, gh, gw)
    small = covered.mean((1, 2)) < LARGEST_BOX
    covered, own = covered[small], maps[small]
    rivals = {f"Gaussian, sigma {sigma:g}": centred_gaussian(clip.grid, sigma) for sigma in SIGMAS}
    rivals["uniform"] = np.ones(clip.grid)
    figures: Figures = {"photos": int(small.sum())}
    energy = energy_inside(own, covered)
    for name, drawn in {"relevance": own, **rivals}.items():
        looked = np.broadcast_to(drawn, covered.shape)
        figures[name] = {
            "energy": float(energy_inside(looked, covered).mean()),
            "pointing": float(points_inside(looked, covered).mean()),
        }
        if name in rivals:
            gain = energy - energy_inside(looked, covered)
            figures[name]["relevance ahead by"] = float(gain.mean())
            figures[name]["standard error"] = float(gain.std(ddof=1) / len(gain) ** 0.5)
    return figures


def caption_photos(
    clip: Clip, captioner: Captioner, photos: Photos, maps: NDArray[np.float32], every: int
) -> Figures:
    """Caption the regions of every n-th photo and hold the captions against the pixels."""
    chosen = slice(None, None, every)
    sample = Photos(photos.names, photos.paths[chosen], photos.classes[chosen])
    regions = [find_regions(grid, clip.size) for grid in maps[chosen]]
    captions: list[Caption] = []
    pixels = []
    for part in sample.batches():
        views = look(clip, sample.paths[part])
        masks = [np.array([r.patches for r in found], dtype=bool) for found in regions[part]]
        features = pooled(clip.model, views, masks)  # (R, D)
        captions += captioner.caption(RegionBatch(features))
        pixels.append(_pixels(clip, views))
    texts = [tidy(caption).text for caption in captions]
    owners = [i for i, found in enumerate(regions) for _ in found]
    flat = [region for found in regions for region in found]
    names = [sample.names[sample.classes[i]] for i in owners]
    seen = np.concatenate(pixels)  # (N, H, W, 3)
    verdicts = [
        colour_is_right(text, seen[i], region.mask)
        for text, i, region in zip(texts, owners, flat, strict=True)
    ]
    spread = range(0, len(texts), max(1, len(texts) // SAMPLES))
    return {
        "photos": len(sample.paths),
        **caption_figures(texts, names, verdicts),
        "samples": [f"{names[i]}: {clean(texts[i])}" for i in spread][:SAMPLES],
    }


def _pixels(clip: Clip, views: Tensor) -> NDArray[np.uint8]:
    """Turn what the network sees back into pictures: (B, 3, H, W) to (B, H, W, 3)."""
    mean, std = torch.tensor(clip.mean).view(3, 1, 1), torch.tensor(clip.std).view(3, 1, 1)
    colours = (views * std + mean).clamp(0, 1) * 255
    return colours.round().byte().permute(0, 2, 3, 1).numpy()


def evaluate(given: argparse.Namespace) -> Figures:
    """Compute every figure asked for."""
    device = pick_device(given.device)
    clip = load_clip(given.model, device=device)
    root = given.work / "photos"
    archive.unpack(given.data, root)
    mission = mission_photos(root)
    figures = {
        "mission25": classify(clip, mission),
        "kept out": classify(clip, kept_out_photos(root, given.data / FILE)),
    }
    maps = true_class_maps(clip, mission)
    boxes = archive.read_boxes(root / archive.MISSION_BOXES)
    figures["boxes"] = compare_with_boxes(clip, mission, maps, boxes)
    if given.only != "clip":
        words = load_language_model(given.lm, device=device)
        captioner = load_captioner(given.captioner, language_model=words, device=device)
        figures["captions"] = caption_photos(clip, captioner, mission, maps, given.every)
    return figures


def table(figures: Figures) -> str:
    """Write the figures as indented lines."""
    return "\n".join(_lines(figures, ""))


def _lines(figures: Figures, indent: str) -> Iterator[str]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list):
            yield from (f"{indent}{entry}" for entry in value)
        else:
            number = f"{value:8.3f}" if isinstance(value, float) else f"{value:8d}"
            yield f"{indent}{name:<28}{number}"


def main() -> None:
    """Print the figures, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the photos' archives")
    parser.add_argument("--work", type=Path, required=True, help="the photos are unpacked in here")
    parser.add_argument("--model", default=MINI, help="as in mapcap index")
    parser.add_argument("--lm", default=MINI, help="as in mapcap index")
    parser.add_argument("--captioner", default=MINI, help="as in mapcap index")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", choices=("clip", "all"), default="all", help="clip: no captions")
    parser.add_argument("--every", type=int, default=4, help="caption every n-th photo")
    parser.add_argument("--json", type=Path, help="write the figures into this file, too")
    given = parser.parse_args()
    figures = evaluate(given)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
