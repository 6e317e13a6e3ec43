"""`--class-weights`: a head is read, checked and matched before any work, and is explained."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch.nn import functional as F

from db import queries
from db.engine import open_read
from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Dataset
from mapcap.errors import UserError
from mapcap.heads import LinearHead
from mapcap.predictions import match_head, rows_of
from mapcap.relevance import relevance_maps
from tests.calling import CLASSES, Result

WIDTH = 6
PHOTOS = Dataset("/photos", tuple(ClassLabel(n, n) for n in ("bird", "cat", "dog")), (), {})
WEIGHTS = np.arange(3 * WIDTH, dtype=np.float64).reshape(3, WIDTH)


def config_of(file: Path, **changes: Any) -> IndexConfig:
    return IndexConfig(photos="/photos", class_weights=str(file), **changes)


def write(file: Path, names: list[str] | None = None, **arrays: Any) -> Path:
    save_file(arrays or {"coef": WEIGHTS}, file, {"classes": json.dumps(names)} if names else None)
    return file


def test_rows_follow_the_classes_of_the_run_whatever_their_order(tmp_path: Path) -> None:
    file = write(
        tmp_path / "head.safetensors", ["Dog", "fish", "bird", "cat"],
        coef=np.arange(24.0).reshape(4, WIDTH), intercept=np.arange(4.0),
    )  # fmt: skip
    dataset, lines = match_head(config_of(file), PHOTOS)
    assert [each.label for each in dataset.classes] == ["bird", "cat", "dog", "fish"]
    weights, bias = rows_of(config_of(file), dataset.classes)
    assert weights[:, 0].tolist() == [12, 18, 0, 6]
    assert bias is not None and bias.tolist() == [2, 3, 0, 1]
    assert [line for line, _ in lines] == [
        "predictions: head.safetensors: 4 x 6 and a bias",
        "1 class without photos",
    ]


def test_a_file_without_names_numbers_the_sorted_folders_or_the_order_given(tmp_path: Path) -> None:
    file = tmp_path / "head.npy"
    np.save(file, WEIGHTS)
    _, lines = match_head(config_of(file), PHOTOS)
    assert "class numbers: 0 = bird, 1 = cat, 2 = dog" in lines[1][0]
    order = tmp_path / "order.txt"
    order.write_text("cat\ndog\nbird\n")
    weights, bias = rows_of(config_of(file, class_order=str(order)), PHOTOS.classes)
    assert weights[:, 0].tolist() == [12, 0, 6] and bias is None
    (tmp_path / "head.txt").write_text("dog\nbird\ncat\n")
    weights, _ = rows_of(config_of(file), PHOTOS.classes)
    assert weights[:, 0].tolist() == [6, 12, 0], "the names beside go before the sorted folders"


@pytest.mark.parametrize(
    ("arrays", "names", "message"),
    [
        ({"coef": WEIGHTS[:2]}, None, r"has 2 classes and no names of them, .* 3\. Name them in"),
        ({"coef": WEIGHTS[:1]}, None, "One row for two classes is the second's"),
        ({"coef": WEIGHTS}, ["bird", "cat"], "2 names for 3 rows"),
        ({"coef": WEIGHTS}, ["bird", "cat", "fish"], "has no class dog; it has bird, cat, fish"),
        ({"coef": WEIGHTS}, ["bird", "cat", "cat"], "cat and cat both mean the class cat"),
        ({"coef": WEIGHTS}, ["dog", "bird", "Dog"], "dog and Dog both mean"),
        ({"coef": np.where(WEIGHTS == 8, np.nan, WEIGHTS)}, None, "weights at 1, 2 are not finite"),
        ({"coef": WEIGHTS, "b": np.zeros(2)}, None, "a bias of 2 for 3 classes"),
        ({"coef": WEIGHTS, "b": np.zeros((2, 2))}, None, r"holds b \(2, 2\), coef \(3, 6\)"),
    ],
)  # fmt: skip
def test_a_head_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, arrays: Mapping[str, Any], names: list[str] | None, message: str
) -> None:
    file = write(tmp_path / "head.safetensors", names, **arrays)
    with pytest.raises(UserError, match=f"--class-weights: .*head.safetensors.*{message}"):
        match_head(config_of(file), PHOTOS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.npy", None, "no such file"),
        ("head.pkl", b"cos\nsystem\n", "ends in neither .safetensors nor .npy"),
        ("head.npy", b"\x80\x04cos\nsystem\n", "cannot be read as npy"),
        ("head.safetensors", b"{}", "cannot be read as safetensors"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=f"--class-weights: .*{name}.*{message}"):
        match_head(config_of(file), PHOTOS)


def test_a_run_has_one_source_of_predictions() -> None:
    with pytest.raises(UserError, match=r"--class-weights: .*--predictions.*give one of them"):
        IndexConfig(photos="/photos", class_weights="a.npy", predictions="b.csv")
    with pytest.raises(UserError, match=r"--features: .*--class-weights"):
        IndexConfig(photos="/photos", features="raw")
    with pytest.raises(UserError, match="--features: the value is one of normalised, raw"):
        IndexConfig(photos="/photos", class_weights="a.npy", features="whitened")


@pytest.mark.parametrize("normalised", [True, False])
def test_logits_and_their_gradient_are_those_of_float64(normalised: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4, WIDTH, generator=generator, requires_grad=True)
    weights, bias = torch.randn(3, WIDTH, generator=generator), torch.randn(3, generator=generator)
    logits = LinearHead(weights, bias, normalised)(features)
    wide = features.detach().double().requires_grad_()
    inputs = wide / wide.norm(dim=1, keepdim=True) if normalised else wide
    expected = torch.stack([inputs @ row for row in weights.double()], 1) + bias.double()
    torch.testing.assert_close(logits.double(), expected, rtol=1e-5, atol=1e-6)
    (found,) = torch.autograd.grad(logits[:, 1].sum(), features)
    (told,) = torch.autograd.grad(expected[:, 1].sum(), wide)
    torch.testing.assert_close(found.double(), told, rtol=1e-4, atol=1e-6)


def test_the_run_is_explained_by_the_heads_own_logits(
    call: Callable[..., Result], photos: Path, tmp_path: Path, loaded_once: None
) -> None:
    """A random head: its predictions, its maps, and the CLIP's own word beside."""
    weights = np.random.default_rng(0).standard_normal((3, 384)).astype(np.float32)
    names = ["tool", "bird", "fruit"]
    file = write(tmp_path / "probe.safetensors", names, coef=weights)
    db = tmp_path / "photos.db"
    result = call("index", photos, "--db", db, "--class-weights", file, "--max-sentences", "2")
    assert result.code == 0, result.err
    assert "predictions: probe.safetensors: 3 x 384" in result.err
    page = call("classes", db).out
    assert "predictions: probe.safetensors on the features of mini, whose zero-shot agrees" in page
    engine = open_read(db)
    checked = 0
    for found in queries.classes(engine, 1):
        for image in queries.images(engine, found.id):
            if image.error is not None:
                continue
            feature = queries.image_features(engine, [image.id]).features()[0].astype(np.float64)
            logits = weights.astype(np.float64) @ (feature / np.linalg.norm(feature))
            assert image.predicted_name == names[int(logits.argmax())]
            assert image.witness_name in CLASSES
            maps = queries.relevances(engine, [image.id])[image.id]
            assert set(maps) == ({"true"} if image.correct else {"true", "predicted", "contrast"})
            checked += not image.correct
    assert checked, "an error is needed to see the maps of both classes"
    engine.dispose()


def test_a_head_of_another_width_is_refused_before_anything_is_loaded(
    call: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "probe.safetensors", list(CLASSES))
    result = call("index", photos, "--db", tmp_path / "photos.db", "--class-weights", file)
    assert result.code == 2
    assert "is 3 x 6 (classes x width), and the features of --model mini have width 384" in (
        " ".join(result.err.split())
    )
    assert not (tmp_path / "photos.db").exists()


def test_relevance_of_a_head_is_the_plain_computation_in_float64() -> None:
    """The embedded CLIP in float64: the gradient of one logit, restated by hand, to 1e-5."""
    from mapcap.attention import exposed
    from mapcap.networks.clip import load_clip
    from mapcap.networks.towers import require_attention, vision_tower

    clip = load_clip("mini", device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    view = torch.randn(1, 3, *clip.size, generator=generator)
    weights, bias = torch.randn(5, clip.embed_dim, generator=generator), torch.randn(5)
    (found,) = relevance_maps(
        clip.model, view, LinearHead(weights, bias), [torch.tensor([3])]
    )  # (1, gh, gw)
    wide = load_clip("mini", device=torch.device("cpu"), dtype=torch.float64)
    tower = require_attention(vision_tower(wide.model.visual))
    with exposed(tower.depth, -1) as attention:
        feature = wide.model.encode_image(view.double())
    with torch.enable_grad():
        logit = (F.normalize(feature, dim=-1) @ weights[3].double()).sum()
        (gradient,) = torch.autograd.grad(logit, attention[0])
    layer = (gradient * attention[0].detach()).clamp(min=0).mean(1)[0, 0, tower.prefix :]
    difference = (found.flatten().double() - layer).abs().max() / layer.abs().max()
    assert difference <= 1e-5
