"""The configuration: what makes two runs the same run, and what a preset decides."""

import hashlib
import json
from dataclasses import asdict, fields, replace
from inspect import signature
from typing import Any

import pytest

from mapcap.commands.index import index
from mapcap.commands.summarize import summarize
from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.presets import PRESETS, Preset, with_preset

# What the first version stored; its hash was that of this text.
FIRST = json.dumps(
    {
        "boxes": None, "captioner": "mini", "limit_per_class": None, "lm": "mini",
        "max_sentences": 150, "min_area": 0.01, "model": "mini", "names": None,
        "photos": "/photos", "preset": "mini", "pretrained": None, "redundancy": 1.0,
        "regions": 3, "relevance_start_layer": -1, "representation": "pooled", "seed": 0,
        "sentences": 5, "templates": ["{}"], "threshold": 0.5,
    },
    sort_keys=True,
)  # fmt: skip


def test_a_run_of_the_first_version_is_still_the_same_run() -> None:
    read = IndexConfig.of(json.loads(FIRST))
    assert read.hash == hashlib.sha256(FIRST.encode()).hexdigest()
    assert (read.keep_artefacts, read.class_frequency) == (True, False)
    assert read.threshold == "half"


def test_every_field_makes_another_run() -> None:
    given = IndexConfig(photos="/photos", predictions="resnet.csv")
    head = IndexConfig(photos="/photos", class_weights="head.npy")
    of_head = {"class_weights": "probe.npy", "features": "raw"}
    network = IndexConfig(photos="/photos", classifier="timm:resnet18")
    of_network = {"classifier": "timm:resnet50"}
    others = {
        "photos": "/others", "preset": "poster", "model": "ViT-B-32", "pretrained": "openai",
        "captioner": "blip:x", "lm": "gpt2", "names": "n.tsv", "boxes": "b.tsv",
        "limit_per_class": 3, "templates": ("a {}",), "representation": "crop",
        "relevance": "legrad", "relevance_start_layer": 0, "regions": 2,
        "threshold": "mass:0.8", "min_area": 0.02,
        "sentences": 4, "redundancy": 0.5, "max_sentences": 10, "keep_artefacts": True,
        "class_frequency": False, "shared": False, "seed": 1, "prompt": "What is it?",
        "first_sentence": False, "region_view": "blur", "decoding": "beam", "weights": "/w.pt",
        "predictions": "vit.csv", "prediction_paths": "paths.txt", "class_order": "order.txt",
        "predictions_digest": "0" * 64, "box_format": "xywh", "box_units": "shares",
        "class_level": "leaf", "unlabelled": True, "image_size": 336,
        "concepts": ("field\tburr",),
    }  # fmt: skip
    assert set(others) | set(of_head) | set(of_network) == set(asdict(given))
    for config, changed in ((given, others), (head, of_head), (network, of_network)):
        changes: list[Any] = [{name: value} for name, value in changed.items()]
        hashes = {replace(config, **change).hash for change in changes}
        assert len(hashes | {config.hash}) == len(changed) + 1


def test_a_configuration_survives_being_stored() -> None:
    config = IndexConfig(photos="/photos", templates=("a {}", "the {}"), keep_artefacts=True)
    stored = json.loads(json.dumps(asdict(config)))
    assert IndexConfig.of(stored) == config
    assert IndexConfig.of(stored | {"of_tomorrow": 1}) == config


def test_the_poster_keeps_its_method_whole() -> None:
    config = with_preset(IndexConfig(photos="/photos"), "poster")
    assert (config.keep_artefacts, config.class_frequency, config.shared) == (True, False, False)
    assert with_preset(config, "mini").shared
    assert (config.threshold, with_preset(config, "mini").threshold) == ("half", "mean")
    assert with_preset(config, "mini").class_frequency
    assert with_preset(config, "poster", class_frequency=True).class_frequency
    assert not with_preset(config, "poster", keep_artefacts=False).keep_artefacts


def test_another_model_drops_the_weights_of_the_presets_own() -> None:
    config = with_preset(IndexConfig(photos="/photos"), "poster", model="ViT-L-14")
    assert (config.model, config.pretrained, config.lm) == ("ViT-L-14", None, "gpt2")


def test_an_unknown_preset_is_named_with_the_closest() -> None:
    with pytest.raises(UserError, match=r"--preset postr.*poster"):
        with_preset(IndexConfig(photos="/photos"), "postr")
    assert set(PRESETS) == {"mini", "poster", "medium", "strong"}


@pytest.mark.parametrize(
    ("field", "value", "option"),
    [
        ("regions", 0, "--regions"),
        ("sentences", 10, "--sentences"),
        ("redundancy", -1.0, "--redundancy-penalty"),
        ("max_sentences", 1, "--max-sentences"),
        ("templates", ("no place",), "--template"),
        ("representation", "cropp", "--representation"),
        ("relevance", "cheffer", "--relevance: .*chefer, gradcam"),
        ("limit_per_class", 0, "--limit-per-class"),
        ("limit_per_class", 2**63, "--limit-per-class"),
        ("redundancy", float("inf"), "--redundancy-penalty"),
        ("redundancy", float("nan"), "--redundancy-penalty"),
        ("max_sentences", 2**63, "--max-sentences"),
        ("relevance_start_layer", -2, "--relevance-start-layer"),
        ("region_view", "mask", "--region-view: .*crop, blur, box"),
        ("decoding", "top-k", "--decoding: .*greedy, beam, nucleus"),
        ("class_level", "middle", "--class-level"),
        ("box_format", "yxyx", "--box-format"),
        ("box_units", "inches", "--box-units"),
    ],
)
def test_a_value_that_no_run_could_use_names_its_option(
    field: str, value: Any, option: str
) -> None:
    with pytest.raises(UserError, match=option):
        replace(IndexConfig(photos="/photos"), **{field: value})


def test_options_have_the_fields_defaults() -> None:
    """Each option of `mapcap index` is a field, and its default is the field's or the preset's."""
    of_the_preset = {each.name for each in fields(Preset)} | {"pretrained"}
    default = {each.name: each.default for each in fields(IndexConfig)}
    speed = {
        "db", "device", "dtype", "batch_size", "log", "json", "engine", "actors", "address",
        "dry_run",
    }  # fmt: skip
    # These name the field `templates` together, and a file whose lines are the field `concepts`.
    words = {"template", "templates", "concepts"}
    options = signature(index).parameters
    assert set(options) - speed - words <= set(default)
    assert default["concepts"] == ()
    for name, option in options.items():
        if name in speed | words | {"photos"}:
            continue
        expected = None if name in of_the_preset else default[name]
        assert option.default == expected, name
    again = signature(summarize).parameters
    assert (again["k"].default, again["redundancy"].default) == (
        IndexConfig.sentences, IndexConfig.redundancy,
    )  # fmt: skip
