"""Features of photos, boxes and parts of boxes, and what the pixels behind each of them show.

These are the pairs that the captioner learns from. A box and a part are read as the package's
`pooled` representation reads a region.
"""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scripts.build_mini.appearance import Appearance
from scripts.build_mini.assemble import PATCH, SIZE
from scripts.build_mini.cache import open_cache
from scripts.build_mini.looks import analyse_rows, write_looks
from scripts.build_mini.masks import blob, box_patches, with_cls
from scripts.build_mini.places import Places, add_threads, parser
from scripts.build_mini.vision import build_vit, load_end

PHOTOS = 28_000
"""The first so many of the cache: the plain ones and 4,000 varied ones."""
_BATCH = 256
_GRID = (SIZE // PATCH, SIZE // PATCH)


def region_masks(
    boxes: NDArray[np.floating[Any]], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Patches of boxes (B, 4) and of a part of each: (B, gh, gw) twice."""
    wholes = [box_patches(box, _GRID) for box in boxes]
    return np.stack(wholes), np.stack([blob(whole, rng) for whole in wholes])


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_threads(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    cache = open_cache(places.cache)
    end = load_end(build_vit(places.vit), places.cycles)
    rng = np.random.default_rng(0)
    count, started = min(PHOTOS, len(cache.labels)), time.monotonic()
    features: list[NDArray[np.float16]] = []
    looks: list[Appearance] = []
    for start in range(0, count, _BATCH):
        rows = np.arange(start, min(start + _BATCH, count))
        pixels, boxes = np.asarray(cache.pixels[rows]), np.asarray(cache.boxes[rows])
        inside, part = region_masks(boxes, rng)
        seen = [None, *(torch.from_numpy(with_cls(masks)) for masks in (inside, part))]
        with torch.inference_mode():
            found = end.regions(cache.inputs(rows), seen)
        features += [each.half().numpy() for each in found]
        for masks in (boxes, inside, part):
            looks += analyse_rows(pixels, masks)
        if start % (20 * _BATCH) == 0:
            print(f"{rows[-1] + 1} photos, {time.monotonic() - started:.0f} s", flush=True)
    np.save(places.features, np.concatenate(features))
    write_looks(places.feature_looks, looks)
    labels = [np.tile(cache.labels[k : min(k + _BATCH, count)], 3) for k in range(0, count, _BATCH)]
    np.save(places.feature_labels, np.concatenate(labels))


if __name__ == "__main__":
    main()
