"""Compare relevance methods on photos with boxes: where they point, and what the model rests on.

    python -m scripts.compare_maps PHOTOS --boxes FILE [--model M] [--method NAME ...] [--json]

One line a method and start layer: energy inside the box, pointing game, overlap of box and region
for each threshold rule, deletion and insertion on a sample (by tokens; for towers of convolutions
by blur), and maps a second. `occlusion`, the referee, takes a run of the tower for every square
that it covers. The last line is a Gaussian in the centre, which knows nothing of the image.
Towers of convolutions have no attention for `chefer`, `legrad` and `rollout`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from mapcap.config import ATTENTION_METHODS
from mapcap.datasets import Item, read_image, scan
from mapcap.errors import UserError
from mapcap.heads import LinearHead, text_head
from mapcap.metrics.faithfulness import blurring, curves, dropping, patch_orders
from mapcap.metrics.localisation import informative, localise
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.devices import pick_device
from mapcap.networks.towers import vision_tower
from mapcap.relevance import METHODS, Asked, open_scene
from mapcap.text import clean
from mapcap.zero_shot import class_weights

BATCH = 32
LAYERS = (-1, -3)
"""Start layers of the methods that have one."""
Row = dict[str, str | float]


@dataclass(frozen=True)
class Batch:
    """Readable photos: views (B, 3, H, W), class indices (B,), boxes (B, 4) in the view."""

    views: Tensor
    classes: Tensor
    boxes: NDArray[np.float64]


def read_batches(clip: Clip, items: Sequence[Item]) -> Iterator[Batch]:
    """Read photos with a box that says something, a batch at a time."""
    ready: list[tuple[Tensor, int, NDArray[np.float64]]] = []
    for item in items:
        loaded = read_image(item.path)
        if loaded.image is None or item.box is None:
            continue
        box = np.array(clip.view(*loaded.image.size).from_original(item.box), float)
        if informative(box, clip.size)[0]:
            ready.append((clip.preprocess(loaded.image), item.class_index, box))
        if len(ready) == BATCH:
            yield _joined(ready)
            ready = []
    if ready:
        yield _joined(ready)


def _joined(ready: Sequence[tuple[Tensor, int, NDArray[np.float64]]]) -> Batch:
    views, classes, boxes = zip(*ready, strict=True)
    return Batch(torch.stack(views), torch.tensor(classes), np.stack(boxes))


def draw_maps(
    clip: Clip, head: LinearHead, batch: Batch, name: str, layer: int
) -> NDArray[np.float32]:
    """Draw one map a photo, for its own class: (B, gh, gw)."""
    with torch.inference_mode(False), torch.enable_grad():
        scene = open_scene(clip.model, batch.views.to(clip.device), head)
        grids = METHODS[name](scene, Asked.of(batch.classes, batch.classes), layer)
    found: NDArray[np.float32] = grids.detach().float().cpu().numpy()
    return found


def methods_for(clip: Clip, asked: Sequence[str] | None) -> list[str]:
    """Return the methods to compare: those asked for, or all that the tower has attention for.

    Raises:
        UserError: for one that there is not, or that needs attention where there is none.
    """
    convolutions = isinstance(vision_tower(clip.model.visual), ConvolutionalTower)
    possible = [name for name in METHODS if not (convolutions and name in ATTENTION_METHODS)]
    for name in asked or []:
        if name not in possible:
            raise UserError(f"--method {name}: with --model {clip.name} use {', '.join(possible)}.")
    return list(asked or possible)


def compare(
    clip: Clip,
    head: LinearHead,
    batches: Sequence[Batch],
    rules: Sequence[str],
    sample: int,
    methods: Sequence[str],
) -> list[Row]:
    """Measure methods from every start layer that they have; the centre prior comes last."""
    rows: list[Row] = []
    boxes = np.concatenate([batch.boxes for batch in batches])
    for name in methods:
        for layer in LAYERS if name in ATTENTION_METHODS else LAYERS[:1]:
            began = time.perf_counter()
            grids = np.concatenate([draw_maps(clip, head, b, name, layer) for b in batches])
            seconds = time.perf_counter() - began
            title = f"{name} {layer}" if name in ATTENTION_METHODS else name
            row: Row = {"method": title, **_overlap(grids, boxes, clip.size, rules)}
            row |= _faithfulness(clip, head, batches, grids[:sample])
            rows.append(row | {"maps/s": len(grids) / seconds})
    prior: Row = {
        "method": "centre prior",
        **_overlap(grids, boxes, clip.size, rules, "-centre-prior"),
    }
    return [*rows, prior]


def _overlap(
    grids: NDArray[np.float32],
    boxes: NDArray[np.float64],
    size: tuple[int, int],
    rules: Sequence[str],
    ending: str = "",
) -> dict[str, float]:
    kept = grids.any((1, 2))
    row: dict[str, float] = {}
    for rule in rules:
        metrics = localise(grids[kept], boxes[kept], size, rule)
        row |= {name: float(metrics[f"{name}{ending}"].mean()) for name in ("energy", "pointing")}
        for name in ("box-iou", "mask-iou"):
            row[f"{name} {rule}"] = float(metrics[f"{name}{ending}"].mean())
    return row


def _faithfulness(
    clip: Clip, head: LinearHead, batches: Sequence[Batch], grids: NDArray[np.float32]
) -> dict[str, float]:
    """Deletion and insertion of the photos that have one of `grids`, which are in their order."""
    convolutions = isinstance(vision_tower(clip.model.visual), ConvolutionalTower)
    erasing = blurring if convolutions else dropping
    areas: dict[str, list[NDArray[np.float64]]] = {"deletion": [], "insertion": []}
    first = 0
    for batch in batches:
        asked = grids[first : first + len(batch.views)]
        if not len(asked):
            break
        orders = patch_orders(asked, [(0, i) for i in range(len(asked))])
        eraser = erasing(clip.model, batch.views[: len(asked)].to(clip.device))
        measured = curves(head, eraser, orders, batch.classes[: len(asked)]).areas()
        for name, values in areas.items():
            values.append(measured[name])
        first += len(asked)
    return {name: float(np.concatenate(values).mean()) for name, values in areas.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table or JSON, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", help="a labelled data set, as mapcap index takes it")
    parser.add_argument("--boxes", help="table of file, x0, y0, x1, y1")
    parser.add_argument("--model", default="mini", help="default %(default)s")
    parser.add_argument("--pretrained", help="tag or file of weights")
    parser.add_argument("--weights", help="file that holds the weights of the tag")
    parser.add_argument(
        "--method", nargs="+", metavar="NAME", help=f"of {', '.join(METHODS)}; default: all"
    )
    parser.add_argument(
        "--threshold", nargs="+", default=["half", "mean", "mass:0.8"], help="rules of regions"
    )
    parser.add_argument("--limit-per-class", type=int, help="at most so many photos a class")
    parser.add_argument("--sample", type=int, default=96, help="photos for deletion and insertion")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    try:
        dataset = scan(given.photos, boxes=given.boxes, limit_per_class=given.limit_per_class)
        clip = load_clip(
            given.model, given.pretrained, given.weights, device=pick_device(given.device)
        )
        names = [each.name for each in dataset.classes]
        head = text_head(clip.model, class_weights(clip.model, clip.tokenizer, names))
        batches = list(read_batches(clip, dataset.items))
        if not batches:
            raise UserError(f"{given.photos}: no photo has a box of use; give --boxes FILE")
        methods = methods_for(clip, given.method)
        rows = compare(clip, head, batches, given.threshold, given.sample, methods)
    except UserError as error:
        print(clean(str(error)), file=sys.stderr)
        return 2
    count = sum(len(batch.views) for batch in batches)
    if given.json:
        print(json.dumps({"photos": count, "model": given.model, "rows": rows}, indent=2))
        return 0
    console = Console(width=max(140, Console().width))
    table = Table(box=None, title=f"{count} photos, {Path(given.photos).name}, {given.model}")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in rows:
        cells = (row.get(name, "") for name in rows[0])
        table.add_row(*(f"{c:.3f}" if isinstance(c, float) else c for c in cells))
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
