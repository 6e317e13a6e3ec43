"""`mapcap index --classifier`, whole: a small timm ViT's own maps, in the words of the CLIP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

from db import queries
from db.engine import open_read
from mapcap.classifiers.kinds import check_classifier, load_classifier
from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Dataset, read_image
from mapcap.errors import UserError
from mapcap.indexing import run_head
from mapcap.indexing.run_head import classifier_head, match_classifier
from mapcap.networks import loading
from tests.calling import CLASSES, Result, embedded_grid

NETWORK = "vit_tiny_patch16_224"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ViT with random weights and classes of its own, in an order of its own."""
    torch.manual_seed(0)
    model: Any = timm.create_model(NETWORK, num_classes=4)
    torch.nn.init.normal_(model.head.weight)
    file = tmp_path_factory.mktemp("timm") / "mine.safetensors"
    names = {"classes": json.dumps(["tool", "boat", "bird", "fruit"])}
    save_file(model.state_dict(), file, names)
    return file


def test_the_run_is_the_networks_own(
    call: Callable[..., Result],
    photos: Path,
    checkpoint: Path,
    tmp_path: Path,
    loaded_once: None,
) -> None:
    db = tmp_path / "photos.db"
    name = f"timm:{NETWORK}|{checkpoint}"
    result = call("index", photos, "--db", db, "--classifier", name, "--max-sentences", "2")
    assert result.code == 0, result.err
    assert "1 class without photos" in result.err
    told = f"predictions: timm:{NETWORK}|mine.safetensors, by its own maps; in the words of mini"
    assert told in call("classes", db).out
    engine = open_read(db)
    classes = queries.classes(engine, 1)
    assert [each.label for each in classes] == [*CLASSES, "boat"]
    classifier = load_classifier(name, torch.device("cpu"))
    labels = [ClassLabel(each.label, each.name) for each in classes]
    config = IndexConfig(photos=str(photos), classifier=name)
    head = classifier_head(config, classifier, labels)
    for record in classes:
        for image in queries.images(engine, record.id):
            if image.error is not None:
                continue
            picture = read_image(photos / image.path).image
            assert picture is not None
            view = classifier.transform(picture)[None]
            with torch.no_grad():
                best = head(classifier.trunk.encode_image(view)).argmax(1)
            assert image.predicted_name == classes[int(best)].name
            assert image.witness_name is not None
            maps = queries.relevances(engine, [image.id])[image.id]
            assert maps["true"].grid.shape == embedded_grid(), "as the CLIP sees the photo"
            for region in queries.regions(engine, image.id):
                x0, y0, x1, y1 = region.box
                assert 0 <= x0 < x1 <= (image.width or 0) and 0 <= y0 < y1 <= (image.height or 0)
                assert region.caption
    engine.dispose()
    assert call("evaluate", db, "--sample", "2").code == 2


def test_a_resnet_of_two_blocks_is_indexed_by_grad_cam(
    call: Callable[..., Result], photos: Path, tmp_path: Path, loaded_once: None
) -> None:
    torch.manual_seed(0)
    labels = dict(enumerate(("tool", "boat", "bird", "fruit")))
    shape = ResNetConfig(embedding_size=16, hidden_sizes=[16, 24], depths=[1, 1], id2label=labels)
    ResNetForImageClassification(shape).eval().save_pretrained(tmp_path / "resnet")
    ViTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(tmp_path / "resnet")
    db = tmp_path / "photos.db"
    name = f"hf:{tmp_path / 'resnet'}"
    result = call("index", photos, "--db", db, "--classifier", name, "--max-sentences", "2")
    assert result.code == 0, result.err
    told = f"predictions: {name}, by its own maps; in the words of mini"
    assert told in call("classes", db).out
    engine = open_read(db)
    images = [each for found in queries.classes(engine, 1)
              for each in queries.images(engine, found.id) if each.error is None]  # fmt: skip
    assert {each.predicted_name for each in images} <= set(labels.values())
    regions = [each for image in images for each in queries.regions(engine, image.id)]
    assert regions and all(each.caption for each in regions)
    engine.dispose()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet18", "give timm:NAME, timm:NAME|FILE"),
        ("timm:", "give timm:NAME"),
        ("timm:vit_tiny_patch16_242", "no such network. Did you mean vit_tiny_patch16_224"),
        ("timm:vit_small_patch14_dinov2", "a network without a head"),
        ("timm:resnet18|/no/where.pt", "there is no such file"),
        ("hf:/no/where", "no such folder"),
    ],
)
def test_names_that_are_none_are_refused_before_anything_is_fetched(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match=f"--classifier .*{message}"):
        check_classifier(text)


def test_a_checkpoint_without_a_head_or_with_other_names_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trunk.safetensors"
    save_file({"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(3)}, file)
    assert check_classifier(f"timm:resnet18|{file}").names is None
    with pytest.raises(UserError, match=r"without a head: the file has no head\.weight"):
        check_classifier(f"timm:{NETWORK}|{file}")
    save_file({"fc.weight": torch.zeros(3, 4)}, file, {"classes": '["a", "b"]'})
    with pytest.raises(UserError, match="2 names for a head of 3 classes"):
        check_classifier(f"timm:resnet18|{file}")
    file.with_suffix(".txt").write_text("a\nb\nc\n")
    save_file({"fc.weight": torch.zeros(3, 4)}, file)
    assert check_classifier(f"timm:resnet18|{file}").names == [["a"], ["b"], ["c"]]


def test_a_checkpoint_of_another_network_is_refused_before_the_hub_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(3)}, file)
    monkeypatch.setattr(loading, "check_networks", lambda config: pytest.fail("the hub is asked"))
    config = IndexConfig(photos="/photos", model="ViT-B-32", classifier=f"timm:resnet18|{file}")
    with pytest.raises(UserError, match=r"--classifier timm:resnet18: .*do not fit the network"):
        loading.load_networks(config, torch.device("cpu"))


def test_what_is_wrong_here_is_told_before_the_hub_is_asked_for_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_head, "check_classifier", lambda text: pytest.fail("the hub is asked"))
    config = IndexConfig(photos="/photos", captioner="clipcap:/no/such.pt", classifier="hf:a/b")
    with pytest.raises(UserError, match=r"/no/such\.pt"):
        match_classifier(config, Dataset("/photos", (), (), {}))


def test_imagenet_classes_are_found_by_wordnet_id_or_by_a_word(tmp_path: Path) -> None:
    """A head of 1,000 classes: two of them are cranes, and no name means both."""
    file = tmp_path / "head.safetensors"
    save_file({"fc.weight": torch.zeros(1000, 4)}, file)
    config = IndexConfig(photos="/photos", classifier=f"timm:resnet18|{file}")
    photos = tuple(ClassLabel(each, each) for each in ("n01440764", "goldfish", "n03126707"))
    dataset, _ = match_classifier(config, Dataset("/photos", photos, (), {}))
    labels = [each.label for each in dataset.classes]
    assert labels[:4] == ["n01440764", "goldfish", "n03126707", "great white shark"]
    assert len(labels) == len(set(labels)) == 1000
    with pytest.raises(UserError, match="no class kitten"):
        match_classifier(config, Dataset("/photos", (ClassLabel("kitten", "kitten"),), (), {}))
    two = Dataset("/photos", (ClassLabel("crane", "crane"),), (), {})
    with pytest.raises(UserError, match="both mean the class crane"):
        match_classifier(config, two)
