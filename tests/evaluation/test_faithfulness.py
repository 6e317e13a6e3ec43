"""Taking patches away: tokens that really go, pixels that really blur, areas by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from mapcap.attention import Interception, softmax_attention, weigh
from mapcap.errors import UserError
from mapcap.heads import text_head
from mapcap.metrics.faithfulness import (
    Curves,
    Orders,
    blurring,
    curves,
    dropping,
    only_tokens,
    patch_orders,
)
from mapcap.networks.towers import require_attention, vision_tower

Build = Callable[[str], Any]
KEPT = torch.tensor([[0, 5, 6, 15], [3, 2, 1, 0], [7, 9, 12, 4], [8, 10, 11, 13]])
TOWERS = ("native", "quickgelu", "timm", "eva")


def hidden_from_all(model: Any, images: Tensor, kept: Tensor) -> Tensor:
    """Features when no token of any layer may look at the others: tokens meet nowhere else."""
    prefix = require_attention(vision_tower(model.visual)).prefix
    seen = torch.zeros(len(kept), prefix + 16, dtype=torch.bool)
    seen[:, :prefix] = True
    seen.scatter_(1, kept + prefix, True)
    mask = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))[:, None, None]

    def attend(q: Tensor, k: Tensor, v: Tensor, given: Tensor | None, scale: float) -> Tensor:
        assert given is None
        return weigh(softmax_attention(q, k, mask, scale), v)

    with torch.no_grad(), Interception(attend):
        features: Tensor = model.encode_image(images)
    return features


@pytest.mark.parametrize("name", TOWERS)
def test_a_dropped_token_is_as_good_as_never_seen(name: str, build: Build, images: Tensor) -> None:
    model = build(name)
    found = dropping(model, images)(torch.arange(4), KEPT)
    torch.testing.assert_close(found, hidden_from_all(model, images, KEPT), atol=2e-5, rtol=1e-4)


def test_the_sequence_itself_is_shorter(build: Build, images: Tensor) -> None:
    """By the tower's own parts: embed, choose, transform, pool."""
    model = build("native")
    visual, tokens = model.visual, torch.cat([torch.zeros(4, 1).long(), KEPT + 1], 1)
    lengths = []
    watch = visual.transformer.resblocks[0].mlp.register_forward_hook(
        lambda block, args, output: lengths.append(args[0].shape[1])
    )
    with torch.no_grad():
        embedded = visual._embeds(images)
        chosen = torch.stack([row[index] for row, index in zip(embedded, tokens, strict=True)])
        expected = visual._pool(visual.transformer(chosen))[0] @ visual.proj
    found = dropping(model, images)(torch.arange(4), KEPT)
    watch.remove()
    torch.testing.assert_close(found, expected)
    assert lengths == [5, 5]


@pytest.mark.parametrize("name", TOWERS)
def test_with_all_patches_nothing_changes_and_nothing_stays_behind(
    name: str, build: Build, images: Tensor
) -> None:
    model = build(name)
    with torch.no_grad():
        before = model.encode_image(images)
    everything = torch.arange(16).expand(4, -1)
    found = dropping(model, images)(torch.arange(4), everything)
    torch.testing.assert_close(found, before, atol=1e-5, rtol=1e-4)
    with pytest.raises(RuntimeError, match="stopped"), only_tokens(model, KEPT):
        raise RuntimeError("stopped")
    with torch.no_grad():
        assert torch.equal(model.encode_image(images), before)


@pytest.mark.parametrize("name", TOWERS)
def test_without_patches_all_images_are_one(name: str, build: Build, images: Tensor) -> None:
    found = dropping(build(name), images)(torch.arange(4), torch.empty(4, 0, dtype=torch.long))
    assert found.isfinite().all()
    torch.testing.assert_close(found, found[:1].expand_as(found), atol=1e-5, rtol=1e-4)


def test_other_towers_are_named(build: Build, images: Tensor) -> None:
    model = build("coca-cascade")
    with pytest.raises(UserError, match="is read"):
        dropping(model, images)(torch.arange(4), KEPT)
    with pytest.raises(UserError, match="is read"):
        blurring(model, images)


def test_blur_spares_the_pixels_of_the_kept_patches(build: Build, images: Tensor) -> None:
    model = build("native")
    pictures = images.numpy()
    expected = np.stack(
        [[ndimage.gaussian_filter(c, 0.05 * 32, mode="nearest") for c in p] for p in pictures]
    )
    for image, patches in enumerate(KEPT.tolist()):
        for patch in patches:
            top, left = 8 * (patch // 4), 8 * (patch % 4)
            window = (image, slice(None), slice(top, top + 8), slice(left, left + 8))
            expected[window] = pictures[window]
    with torch.no_grad():
        features = model.encode_image(torch.from_numpy(expected))
    found = blurring(model, images)(torch.arange(4), KEPT)
    torch.testing.assert_close(found, features, atol=1e-5, rtol=1e-4)


def test_areas_by_hand() -> None:
    shares = np.array([0.0, 0.5, 1.0])
    found = Curves(
        shares,
        best=np.array([[0.0, 0.8, 1.0]]),
        worst=np.array([[0.0, 0.2, 1.0]]),
        lot=np.array([[0.0, 0.4, 1.0]]),
    ).areas()
    assert {name: area.item() for name, area in found.items()} == pytest.approx(
        {
            "insertion": 0.65,
            "deletion": 0.35,
            "random": 0.45,
            "insertion-gain": 0.2,
            "deletion-gain": 0.1,
        }
    )


def test_curves_follow_the_probability(build: Build, texts: Tensor) -> None:
    """Against a plain loop, with features that are the sum of a vector a patch."""
    model = build("native")
    parts = torch.randn(2, 6, texts.shape[1], generator=torch.Generator().manual_seed(4))

    def eraser(rows: Tensor, kept: Tensor) -> Tensor:
        chosen = [
            parts[r][k].sum(0) + 0.1 for r, k in zip(rows.tolist(), kept.tolist(), strict=True)
        ]
        return torch.stack(chosen)

    best = np.array([[3, 1, 0, 2, 5, 4], [0, 1, 2, 3, 4, 5]])
    lot = np.array([[0, 5, 1, 4, 2, 3], [5, 3, 1, 0, 2, 4]])
    targets = torch.tensor([2, 4])
    found = curves(text_head(model, texts), eraser, Orders(best, lot), targets, steps=3)

    def probability(image: int, kept: list[int]) -> float:
        feature = parts[image][kept].sum(0) + 0.1
        logits = model.logit_scale.exp() * (texts @ (feature / feature.norm()))
        return float(logits.softmax(0)[targets[image]].detach())

    assert found.shares.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    for image in range(2):
        for step, k in enumerate((0, 2, 4, 6)):
            first, drawn = best[image].tolist(), lot[image].tolist()
            assert found.best[image, step] == pytest.approx(probability(image, first[:k]), abs=1e-5)
            last = first[6 - k :]
            assert found.worst[image, step] == pytest.approx(probability(image, last), abs=1e-5)
            assert found.lot[image, step] == pytest.approx(probability(image, drawn[:k]), abs=1e-5)


def test_orders_fall_and_break_ties_by_lot() -> None:
    grid = np.array([[0.0, 2.0], [0.0, 1.0]])
    orders = [patch_orders(grid[None], [(0, seed)]) for seed in range(40)]
    assert all(order.best[0, :2].tolist() == [1, 3] for order in orders)
    assert {tuple(order.best[0, 2:].tolist()) for order in orders} == {(0, 2), (2, 0)}
    assert len({tuple(order.lot[0].tolist()) for order in orders}) > 10


def test_orders_do_not_depend_on_the_batch() -> None:
    grids = np.random.default_rng(0).random((3, 4, 4))
    together = patch_orders(grids, [(0, 1), (0, 2), (0, 3)])
    alone = patch_orders(grids[1:2], [(0, 2)])
    assert together.best[1].tolist() == alone.best[0].tolist()
    assert together.lot[1].tolist() == alone.lot[0].tolist()


def test_a_map_that_says_nothing_is_no_better_than_the_lot() -> None:
    orders = patch_orders(np.ones((1, 4, 4)), [(0, 9)])
    assert orders.best.tolist() == orders.lot.tolist()
