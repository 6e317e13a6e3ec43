"""Train a small classifier of timm on a folder of photos, for `mapcap index --classifier`.

`python scripts/finetune_vit.py PHOTOS FILE [--names FILE] [--model NAME] [--seconds N] [--seed N]`
trains the network, from random weights, and writes it as safetensors with the names of its classes.
Every tenth photo of a class is kept aside; the accuracy
on these is printed. It is a trial of MapCap with a network that is nobody's CLIP, and no good way
to train one.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor
from torch.nn import functional as F

from mapcap.datasets import read_image, scan
from mapcap.errors import UserError
from mapcap.text import clean

BATCH = 64
EVERY = 10
"""One photo of so many is kept aside."""
WARM_UP = 0.1
"""The part of the time in which the learning rate rises."""
RATE = 2e-3


def load_photos(network: Any, photos: Path, names: Path | None) -> tuple[Tensor, Tensor, list[str]]:
    """Return the photos (N, 3, H, W) as the network takes them, their classes (N,), and names.

    Raises:
        UserError: for photos that cannot be scanned.
    """
    dataset = scan(photos, names=names)
    resolve: Any = resolve_data_config  # which has no types
    transform: Any = create_transform(**resolve({}, model=network))
    views, classes = [], []
    for item in dataset.items:
        image = read_image(item.path).image
        if image is not None:
            views.append(transform(image).half())
            classes.append(item.class_index)
    return torch.stack(views), torch.tensor(classes), [each.name for each in dataset.classes]


def fit(network: Any, images: Tensor, classes: Tensor, seconds: float, seed: int) -> int:
    """Train for so many seconds, by AdamW with a warm-up and a cosine; return the steps taken."""
    draw = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    network.train()
    began, steps = time.monotonic(), 0
    while (share := (time.monotonic() - began) / seconds) < 1:
        cosine = 0.5 * (1 + torch.cos(torch.tensor(torch.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = RATE * float(min(share / WARM_UP, 1) * cosine)
        rows = torch.randint(len(images), (BATCH,), generator=draw)
        views = images[rows].float()
        flipped = torch.rand(BATCH, generator=draw) < 0.5
        views[flipped] = views[flipped].flip(-1)
        loss = F.cross_entropy(network(views), classes[rows], label_smoothing=0.1)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        steps += 1
    network.eval()
    return steps


def measure(network: Any, images: Tensor, classes: Tensor) -> float:
    """Return the share of images that are predicted as their classes."""
    with torch.no_grad():
        parts = [network(part.float()).argmax(1) for part in torch.split(images, BATCH)]
    return float((torch.cat(parts) == classes).double().mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a network and write it; 2 for a mistake of the user's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--names", type=Path, help="label and class name, as for mapcap index")
    parser.add_argument("--model", default="test_vit")
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.manual_seed(given.seed)
    try:
        classes_of = scan(given.photos, names=given.names).classes
        network = timm.create_model(given.model, num_classes=len(classes_of))
        images, classes, names = load_photos(network, given.photos, given.names)
    except UserError as error:
        print(clean(str(error)), file=sys.stderr)
        return 2
    aside = torch.arange(len(images)) % EVERY == 0
    steps = fit(network, images[~aside], classes[~aside], given.seconds, given.seed)
    accuracy = measure(network, images[aside], classes[aside])
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, given.file, {"classes": json.dumps(names)})
    print(
        f"{given.model}: {steps} steps of {BATCH} photos; accuracy {accuracy:.3f} on "
        f"{int(aside.sum())} photos kept aside, {len(names)} classes"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
