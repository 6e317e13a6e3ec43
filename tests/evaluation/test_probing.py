"""Measuring images with a small real network."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from db.records import Image
from mapcap.config import IndexConfig
from mapcap.evaluation.probing import Probe
from mapcap.evaluation.samples import Sampled
from mapcap.heads import text_head
from mapcap.metrics.names import FIGURES, meaning
from mapcap.networks.clip import Clip
from mapcap.relevance import chefer
from mapcap.representations import pooled
from mapcap.zero_shot import class_weights
from tests.evaluation.conftest import as_clip

NAMES = ["cat", "dog", "owl", "ant", "eel"]
CLASS_IDS = [11, 12, 13, 14, 15]
CONFIG = IndexConfig(photos="/photos")


def picture(number: int, class_id: int) -> Image:
    return Image(
        number, class_id, "", f"{number}.jpg", "digest", 32, 32, 1, None, None, class_id, "", True,
        0.5, 1, 0.0,
    )  # fmt: skip


@pytest.fixture
def weights(clip: Clip) -> Tensor:
    return class_weights(clip.model, clip.tokenizer, NAMES)


@pytest.fixture
def sampled(clip: Clip, weights: Tensor, images: Tensor) -> Sampled:
    grids = chefer(clip.model, images, weights, torch.tensor([0, 1, 2, 3])).numpy()
    half = np.zeros((4, 4), bool)
    half[:, :2] = True
    return Sampled(
        images=[picture(100 + i, CLASS_IDS[i]) for i in range(4)],
        grids=grids,
        neighbours=np.roll(grids, 1, axis=0),
        views=images,
        regions=[[(half, "a b"), (~half, "c")], [], [(half, ".")], [(np.ones((4, 4), bool), "d")]],
    )


@pytest.fixture
def probe(clip: Clip, weights: Tensor) -> Probe:
    return Probe(clip, text_head(clip.model, weights), CLASS_IDS, CONFIG)


def test_every_figure_is_there_and_known_by_name(probe: Probe, sampled: Sampled) -> None:
    found = probe.measure(sampled)
    assert sorted(found) == [100, 101, 102, 103]
    expected = {
        name
        for name, told in FIGURES.items()
        if told.kind in ("faithfulness", "sanity") or name == "caption-contrast"
    }
    assert set(found[100]) == expected
    assert set(found[101]) == expected - {"caption-contrast"}  # it has no caption
    assert all(meaning(name) for named in found.values() for name in named)


def test_the_network_is_as_it_was(clip: Clip, probe: Probe, sampled: Sampled) -> None:
    saved = {key: value.clone() for key, value in clip.model.state_dict().items()}
    first, second = probe.measure(sampled), probe.measure(sampled)
    assert all(torch.equal(value, saved[key]) for key, value in clip.model.state_dict().items())
    assert first == second


def test_an_image_does_not_depend_on_its_batch(probe: Probe, sampled: Sampled) -> None:
    together = probe.measure(sampled)
    alone = probe.measure(sampled.those(np.array([False, True, False, False])))
    assert alone[101] == pytest.approx(together[101], abs=1e-4)


def test_an_empty_map_is_counted_and_nothing_else(probe: Probe, sampled: Sampled) -> None:
    sampled.grids[2] = 0
    found = probe.measure(sampled)
    assert found[102] == {"maps-empty": 1.0}
    assert "maps-empty" not in found[100]


def test_all_maps_empty(probe: Probe, sampled: Sampled) -> None:
    sampled.grids[:] = 0
    assert all(named == {"maps-empty": 1.0} for named in probe.measure(sampled).values())


def test_captions_against_the_rest_of_the_image(clip: Clip, probe: Probe, sampled: Sampled) -> None:
    """By hand: cosine of each text with the patches inside and with those outside."""
    texts = torch.nn.functional.normalize(clip.model.encode_text(clip.tokenizer(["a b", "c"])))
    half = sampled.regions[0][0][0]
    parts = pooled(clip.model, sampled.views[:1], [np.stack([half, ~half])])
    left, right = torch.nn.functional.normalize(parts)
    expected = ((texts[0] @ left - texts[0] @ right) + (texts[1] @ right - texts[1] @ left)) / 2
    found = probe.captions(sampled)["caption-contrast"]
    assert found[0] == pytest.approx(expected.item(), abs=1e-5)
    assert np.isnan(found[1:]).all()  # no caption, an empty one, a region without a rest


def test_one_class_has_no_other_text(clip: Clip, weights: Tensor, sampled: Sampled) -> None:
    alone = replace(sampled, images=[picture(100 + i, 11) for i in range(4)])
    found = Probe(clip, text_head(clip.model, weights[:1]), [11], CONFIG).measure(alone)
    assert "sanity-class" not in found[100]
    assert "sanity-last-block" in found[100]


@pytest.mark.parametrize("name", ["timm", "eva"])
def test_other_towers(name: str, build: Callable[[str], Any], sampled: Sampled) -> None:
    clip = as_clip(build(name))
    weights = class_weights(clip.model, clip.tokenizer, NAMES)
    found = Probe(clip, text_head(clip.model, weights), CLASS_IDS, CONFIG).measure(sampled)
    assert np.isfinite(list(found[100].values())).all()
