"""Measure the networks as they are shipped, on photos that no training saw.

Everything runs through the package's public functions, so these are the figures a user gets: the
poster's 25 classes, photos kept from every choice, the 20 kept-out classes, maps against boxes;
sentences of people found and written, humans named, captions against pixels.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mapcap.config import DECODINGS, IndexConfig
from mapcap.metrics.localisation import informative, localise
from mapcap.networks.captioners import load_captioner
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.devices import pick_device
from mapcap.networks.embedded import MINI
from mapcap.presets import PRESETS
from mapcap.relevance import chefer
from mapcap.representations import encode_images
from mapcap.zero_shot import class_logits, class_weights
from scripts.build_mini import evaluate_words as words
from scripts.build_mini import people
from scripts.build_mini import photos as archive
from scripts.build_mini.classes import FILE
from scripts.build_mini.pictures import (
    Photos,
    batches,
    kept_out_photos,
    look,
    mission_photos,
    unseen_photos,
)
from scripts.build_mini.scoring import accuracy_per_class

Figures = dict[str, Any]


def classify(clip: Clip, photos: Photos) -> Figures:
    """Top-1 among the photos' own classes by their bare names; classes go from worst to best."""
    weights = class_weights(clip.model, clip.tokenizer, photos.names)  # (K, D)
    predicted = []
    for part in batches(len(photos.paths)):
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
    for part in batches(len(photos.paths)):
        targets = torch.from_numpy(photos.classes[part])
        grids = chefer(clip.model, look(clip, photos.paths[part]), weights, targets)
        maps.append(grids.float().cpu().numpy())
    return np.concatenate(maps)


def compare_with_boxes(
    clip: Clip,
    photos: Photos,
    maps: NDArray[np.float32],
    boxes: dict[str, archive.Box],
    threshold: str,
) -> Figures:
    """The run's own figures of maps against boxes, beside those of maps that know nothing."""
    views = [clip.view(*Image.open(path).size) for path in photos.paths]
    inside = np.array(
        [
            view.from_original(boxes[f"{path.parent.name}/{path.name}"])
            for view, path in zip(views, photos.paths, strict=True)
        ]
    )
    kept = informative(inside, clip.size) & (maps.reshape(len(maps), -1).max(1) > 0)
    found = localise(maps[kept], inside[kept], clip.size, threshold)
    return {"photos": int(kept.sum()), **{name: float(each.mean()) for name, each in found.items()}}


def evaluate(given: argparse.Namespace) -> Figures:
    """Compute every figure asked for."""
    device = pick_device(given.device)
    clip = load_clip(given.model, device=device)
    root = given.work / "photos"
    archive.unpack(given.data, root)
    mission, rule = mission_photos(root), given.threshold
    told = people.read_described(given.data / people.TABLE, "dev")
    features, colours = words.features_of(clip, [root / people.FOLDER / each.file for each in told])
    figures = {
        "mission25": classify(clip, mission),
        "kept from every choice": classify(clip, unseen_photos(root, given.data / FILE)),
        "kept out": classify(clip, kept_out_photos(root, given.data / FILE)),
        "people": words.find_sentences(clip, features, told),
    }
    maps = true_class_maps(clip, mission)
    boxes = archive.read_boxes(root / archive.MISSION_BOXES)
    figures["boxes"] = compare_with_boxes(clip, mission, maps, boxes, rule)
    if given.only != "clip":
        asked = IndexConfig(photos="", decoding=given.decoding)
        captioner = load_captioner(asked, clip, device)
        some = range(0, len(maps), given.every)
        figures |= {
            "captions of people": words.caption_people(captioner, features, colours, told),
            "captions of regions": words.caption_things(
                clip, captioner, mission.pick(some), maps[list(some)], rule
            ),
            "humans beside things": words.humans_beside_things(
                clip, captioner, mission, maps, rule
            ),
        }
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
            yield f"{indent}{name:<40}{number}"


def main() -> None:
    """Print the figures, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the photos' archives")
    parser.add_argument("--work", type=Path, required=True, help="the photos are unpacked in here")
    parser.add_argument("--model", default=MINI, help="as in mapcap index")
    parser.add_argument(
        "--decoding", choices=DECODINGS, default=PRESETS[MINI].decoding, help="as in mapcap index"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", choices=("clip", "all"), default="all", help="clip: no captions")
    parser.add_argument("--every", type=int, default=4, help="caption every n-th photo")
    parser.add_argument("--threshold", default=IndexConfig.threshold, help="as in mapcap index")
    parser.add_argument("--json", type=Path, help="write the figures into this file, too")
    given = parser.parse_args()
    figures = evaluate(given)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
