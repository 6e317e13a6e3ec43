"""A linear probe trained on other photos' features, as a person would, and explained."""

import json
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from torch.nn import functional as F

from db import queries
from db.engine import open_read
from mapcap.attention import exposed
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.towers import require_attention, vision_tower
from mapcap.relevance import chefer
from mapcap.representations import encode_images
from tests.calling import Result

CPU = torch.device("cpu")
DATA = Path(__file__).parents[3] / "shared" / "data"
CLASSES = {"cat": "n02123045", "bus": "n04487081", "pizza": "n07873807", "lifeboat": "n03662601"}
TRAINED, TESTED = 16, 6

Photos = dict[str, list[tuple[str, bytes]]]


@pytest.fixture(scope="module")
def photos() -> Photos:
    """The first photos of four classes of TinyImageNet."""
    file = DATA / "tiny-imagenet-train-0of4.tar"
    if not file.is_file():
        pytest.skip(f"no {file}")
    found: Photos = {name: [] for name in CLASSES}
    of_label = {label: name for name, label in CLASSES.items()}
    with tarfile.open(file) as tar:
        for member in tar:
            name = of_label.get(member.name.partition("/")[0])
            if name is not None and len(found[name]) < TRAINED + TESTED:
                opened = tar.extractfile(member)
                assert opened is not None
                found[name].append((Path(member.name).name, opened.read()))
    return found


def view(clip: Clip, photo: bytes) -> torch.Tensor:
    return clip.preprocess(Image.open(BytesIO(photo)).convert("RGB"))


def logistic_regression(
    features: torch.Tensor, classes: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit weights (K, D) and bias (K,) with an L2 penalty of 1, as scikit-learn's default."""
    weights = torch.zeros(int(classes.max()) + 1, features.shape[1], requires_grad=True)
    bias = torch.zeros(len(weights), requires_grad=True)
    fitting = torch.optim.LBFGS([weights, bias], max_iter=100)

    def step() -> torch.Tensor:
        fitting.zero_grad()
        loss = F.cross_entropy(F.linear(features, weights, bias), classes, reduction="sum")
        loss = loss + 0.5 * (weights**2).sum()
        loss.backward()
        return loss

    fitting.step(step)
    return weights.detach().numpy(), bias.detach().numpy()


def test_a_probe_of_other_photos_is_explained_by_its_own_logits(
    call: Callable[..., Result], photos: Photos, tmp_path: Path, loaded_once: None
) -> None:
    clip, names = load_clip("mini", device=CPU), list(CLASSES)
    views = torch.stack([view(clip, data) for name in names for _, data in photos[name][:TRAINED]])
    features = F.normalize(encode_images(clip.model, views), dim=-1)
    classes = torch.arange(len(names)).repeat_interleave(TRAINED)
    weights, bias = logistic_regression(features, classes)
    file = tmp_path / "probe.safetensors"
    save_file({"coef": weights, "intercept": bias}, file, {"classes": json.dumps(names)})
    for name in names:
        (tmp_path / "photos" / name).mkdir(parents=True)
        for photo, data in photos[name][TRAINED:]:
            (tmp_path / "photos" / name / photo).write_bytes(data)
    db = tmp_path / "photos.db"
    found = call("index", tmp_path / "photos", "--db", db, "--class-weights", file)
    assert found.code == 0, found.err
    engine = open_read(db)
    records = queries.classes(engine, 1)
    accuracy = sum(each.correct or 0 for each in records) / sum(each.predicted for each in records)
    assert accuracy >= 0.75, accuracy
    wide = load_clip("mini", device=CPU, dtype=torch.float64)
    head = torch.from_numpy(weights)
    for record in records:
        image, place = queries.images(engine, record.id)[0], names.index(record.name)
        seen = view(clip, (tmp_path / "photos" / image.path).read_bytes())
        expected = plain_relevance(wide, seen.double(), head[place].double())
        # In float64 it is the formula that is compared, not what a version of torch rounds.
        target = torch.tensor([place])
        computed = chefer(wide.model, seen[None].double(), head.double(), target)[0].flatten()
        assert (computed / computed.max() - expected / expected.max()).abs().max() <= 1e-9
        stored = queries.relevances(engine, [image.id])[image.id]["true"]
        grid = torch.from_numpy(stored.grid.astype(np.float64)).flatten()
        # Grids are stored as halves, scaled to their largest value.
        assert (grid / grid.max() - expected / expected.max()).abs().max() <= 1e-3
    engine.dispose()


def plain_relevance(clip: Clip, image: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    """Chefer's relevance (P,) of the last layer for the logit of one row (D,), step by step."""
    tower = require_attention(vision_tower(clip.model.visual))
    with exposed(tower.depth, -1) as attention:
        feature = clip.model.encode_image(image[None])[0]
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(feature @ row / feature.norm(), attention[0])
    return (gradient * attention[0].detach()).clamp(min=0).mean(1)[0, 0, tower.prefix :]
