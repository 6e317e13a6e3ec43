"""Rank correlation of maps, and weights that come back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from mapcap.metrics.sanity import rank_correlation, shuffled
from mapcap.networks.towers import vision_tower

Build = Callable[[str], Any]


def test_rank_correlation_as_scipy_with_ties() -> None:
    generator = np.random.default_rng(0)
    maps, others = generator.integers(0, 5, (2, 6, 4, 4)).astype(float)
    expected = [
        stats.spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(maps, others, strict=True)
    ]
    assert rank_correlation(maps, others) == pytest.approx(expected)


def test_rank_correlation_sees_order_alone() -> None:
    grid = np.random.default_rng(1).random((1, 4, 4))
    assert rank_correlation(grid, grid**3) == pytest.approx([1.0])
    assert rank_correlation(grid, -grid) == pytest.approx([-1.0])


def test_a_constant_map_has_none() -> None:
    grid = np.random.default_rng(1).random((1, 4, 4))
    assert np.isnan(rank_correlation(grid, np.zeros((1, 4, 4)))).all()


@pytest.mark.parametrize("name", ["native", "timm", "eva"])
def test_the_model_comes_back_bit_for_bit(name: str, build: Build, images: Tensor) -> None:
    model = build(name)
    saved = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        before = model.encode_image(images)
        with shuffled(list(vision_tower(model.visual).blocks[-2:]), seed=0):
            during = model.encode_image(images)
        after = model.encode_image(images)
    assert not torch.allclose(before, during)
    assert torch.equal(before, after)
    assert all(torch.equal(value, saved[key]) for key, value in model.state_dict().items())


def test_it_comes_back_after_an_exception(build: Build) -> None:
    model = build("native")
    saved = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(RuntimeError, match="stop"), shuffled([model.visual], seed=0):
        raise RuntimeError("stop")
    assert all(torch.equal(value, saved[key]) for key, value in model.state_dict().items())


def test_the_values_stay_and_their_places_change(build: Build) -> None:
    model = build("native")
    first, last = vision_tower(model.visual).blocks[0], vision_tower(model.visual).blocks[-1]
    before = {key: value.clone() for key, value in last.state_dict().items()}
    untouched = {key: value.clone() for key, value in first.state_dict().items()}
    with shuffled([last], seed=0):
        for key, value in last.state_dict().items():
            assert not torch.equal(value, before[key])
            assert torch.equal(value.flatten().sort()[0], before[key].flatten().sort()[0])
        assert all(torch.equal(value, untouched[key]) for key, value in first.state_dict().items())


def test_the_same_seed_shuffles_alike_and_shared_weights_once() -> None:
    layer = nn.Linear(6, 6)
    tied = nn.Linear(6, 6)
    tied.weight = layer.weight
    with shuffled([layer], seed=3):
        expected = layer.weight.detach().clone()
    with shuffled([layer, tied], seed=3):
        assert torch.equal(layer.weight, expected)
