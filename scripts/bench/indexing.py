"""Parts `index` and `bytes`: the whole index beside a loop that decodes and encodes alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import torch
from PIL import Image

from mapcap.datasets import scan
from mapcap.networks.clip import Clip, load_clip
from mapcap.representations import encode_images
from scripts.bench.figures import BYTES, SECONDS, TIMES, Figure
from scripts.bench.indexes import Indexed, Indexes
from scripts.bench.sizes import Sizes
from scripts.bench.timing import Way, in_turn, ratio

CLASSES = 10
"""Of the made-up photos: as many as the sample has."""
_BATCH = 64
_WORTH_A_LINE = 0.02
"""Of the file: a table or an index that takes less is not named."""
_PLAIN = "decode and encode"
_WHOLE = "index, all stages"


def measure(sizes: Sizes, device: torch.device, indexes: Indexes) -> Iterator[Figure]:
    """Time the plain loop and the index in turn; loading the networks counts for neither."""
    folder = photos_of(sizes, indexes)
    clip = load_clip("mini", device=device)
    paths = [Path(str(item.path)) for item in scan(str(folder)).items]
    runs: list[Indexed] = []
    ways = {
        _PLAIN: Way(lambda: decode_and_encode(clip, paths)),
        _WHOLE: Way(lambda: runs.append(indexes.again(folder))),
    }
    seconds = in_turn(ways, sizes.repeats, device)
    timed = runs[1:]  # the first was to warm up
    images = "index, up to the regions' features"
    shown = {
        _PLAIN: seconds[_PLAIN],
        images: [run.stages["images"] for run in timed],
        _WHOLE: [run.seconds for run in timed],
    }
    for name, values in shown.items():
        yield Figure("index", f"{len(paths):,} photos, {name}", median(values), SECONDS)
    for name in (images, _WHOLE):
        yield Figure("index", f"{name} / {_PLAIN}", ratio(shown, name, _PLAIN), TIMES)


def measure_bytes(sizes: Sizes, device: torch.device, indexes: Indexes) -> Iterator[Figure]:
    """Measure the file of the index of the same photos, the run's own share with it."""
    run = indexes.once(photos_of(sizes, indexes))
    yield Figure("bytes", f"a photo, of {run.photos:,}", run.file_bytes / run.photos, BYTES)
    for name, size in run.table_bytes.items():
        if size >= _WORTH_A_LINE * run.file_bytes:
            yield Figure("bytes", f"a photo, {name}", size / run.photos, BYTES)


def photos_of(sizes: Sizes, indexes: Indexes) -> Path:
    """Return the folder of photos that the sizes name."""
    if sizes.folder is not None:
        return Path(sizes.folder).absolute()
    return indexes.photos(sizes.photos, CLASSES)


def decode_and_encode(clip: Clip, paths: Sequence[Path]) -> torch.Tensor:
    """Return the features (n, D) of photos: the least that a classifier has to do."""
    features = []
    for first in range(0, len(paths), _BATCH):
        views = []
        for path in paths[first : first + _BATCH]:
            with Image.open(path) as photo:
                views.append(clip.preprocess(photo.convert("RGB")))
        features.append(encode_images(clip.model, torch.stack(views)))
    return torch.cat(features)
