"""Towers read by an attention pool or a mean: each against a restatement in float64.

The restatement runs the tower in float64 with attention by hand in the place of torch's (its
modules are open_clip's and timm's own), keeps every layer's attention with its graph, and forms the
whole R of the paper, of which it reads what the output reads.
"""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.attention import Interception
from mapcap.explanation import Method, explain
from mapcap.heads import text_head
from mapcap.networks.towers import vision_tower
from mapcap.relevance import METHODS, Asked, chefer, open_scene
from mapcap.representations import encode_images, pooled

MEAN = ["mean", "clipa", "vitamin"]
POOL = ["siglip", "pe-core", "coca"]
TOWERS = MEAN + POOL
PREFIX = {"mean": 1, "clipa": 1, "vitamin": 0, "siglip": 0, "pe-core": 1, "coca": 1}
TARGETS = torch.tensor([0, 3, 3, 1])


def watched(model: Any, images: Tensor, seen: Tensor | None = None):
    """Features and each layer's attention (B, H, Q, N); `seen` (N,) bool limits the last one's."""
    attention: list[Tensor] = []
    depth = 4 if hasattr(model, "pooled_by_hand") else 3

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        logits = torch.einsum("bhqd,bhnd->bhqn", q, k) * scale
        if seen is not None and len(attention) == depth - 1:
            logits = logits.masked_fill(~seen, float("-inf"))
        weights = logits.exp() / logits.exp().sum(-1, keepdim=True)
        attention.append(weights.requires_grad_() if not weights.requires_grad else weights)
        return torch.einsum("bhqn,bhnd->bhqd", attention[-1], v)

    with Interception(attend):
        features = model.encode_image(images)
    return features, attention


def doubled(model: Any, name: str) -> Any:
    wide: Any = copy.deepcopy(model).double()
    if name in POOL:
        wide.pooled_by_hand = True
    return wide


def logits_of(model: Any, features: Tensor, texts: Tensor) -> Tensor:
    cosines = F.normalize(features, dim=-1) @ F.normalize(texts.double(), dim=-1).T
    return model.logit_scale.exp() * cosines


def plain_map(model: Any, name: str, image: Tensor, texts: Tensor, target: int, start: int):
    """The paper's R, head by head, over one image."""
    features, attention = watched(model, image[None].double())
    gradients = torch.autograd.grad(logits_of(model, features, texts)[0, target], attention)
    layers = []
    for a, g in zip(attention, gradients, strict=True):
        layers.append(sum((a[0, h] * g[0, h]).clamp(min=0) for h in range(a.shape[1])) / a.shape[1])
    patches = slice(PREFIX[name], None)
    *blocks, last = layers if name in POOL else [*layers, None]
    size = attention[0].shape[-1]
    relevance = torch.eye(size, dtype=torch.float64)
    for layer in blocks[start % len(attention) :]:
        relevance = relevance + layer @ relevance
    own = torch.eye(size, dtype=torch.float64)
    rows = (last @ relevance)[:1] if name in POOL else (relevance - own)[patches]
    return rows.mean(0)[patches].detach().reshape(4, 4)


@pytest.mark.parametrize("start_layer", [-1, -2, 0])
@pytest.mark.parametrize("name", TOWERS)
def test_chefer_is_the_plain_computation(build, images, texts, name, start_layer):
    model = build(name)
    wide = doubled(model, name)
    got = chefer(model, images, texts, TARGETS, start_layer)
    for image, target, grid in zip(images, TARGETS.tolist(), got, strict=True):
        expected = plain_map(wide, name, image, texts, target, start_layer)
        difference = (grid.double() - expected).abs().max() / expected.abs().max()
        assert difference <= 1e-4
    assert (got.flatten(1).amax(1) > 1e-4).all()


@pytest.mark.parametrize("name", MEAN)
def test_relevance_far_smaller_than_the_mean_keeps_its_digits(build, images, texts, name):
    """Each patch's own share of the mean is no part of the map, and must not round it either."""
    model = build(name)
    with torch.no_grad():
        model.logit_scale.fill_(-9.0)
    got = chefer(model, images[:1], texts, TARGETS[:1], 0)[0]
    expected = plain_map(doubled(model, name), name, images[0], texts, int(TARGETS[0]), 0)
    assert 0 < expected.max() < 1e-4
    assert (got.double() - expected).abs().max() <= 1e-4 * expected.max()


@pytest.mark.parametrize("name", TOWERS)
def test_the_pass_gives_the_same_maps_and_features(build, images, texts, name):
    model = build(name)
    method = Method("pooled", "mean", 3, 0.01, "chefer", -1)
    found = explain(model, images, text_head(model, texts), TARGETS, method)
    expected = encode_images(model, images).numpy()
    cosine = (
        F.normalize(torch.from_numpy(found.features)) * F.normalize(torch.from_numpy(expected))
    ).sum(1)
    np.testing.assert_allclose(cosine, 1, atol=1e-5)
    of_true = chefer(model, images, texts, TARGETS)
    rows = [row for row, role in enumerate(found.maps.roles) if role == "true"]
    np.testing.assert_allclose(found.grids[rows], of_true.numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", TOWERS)
def test_pooled_over_all_patches_is_the_networks_own_feature(build, images, name):
    """Exact where the output is read off patches alone; with a class token among the keys of a
    pool, the same pool without it."""
    model = build(name)
    everything = [np.ones((1, 4, 4), bool)] * 4
    expected = encode_images(model, images)
    if PREFIX[name] and name in POOL:
        seen = torch.tensor([False] * PREFIX[name] + [True] * 16)
        with torch.no_grad():
            expected = watched(doubled(model, name), images.double(), seen)[0].float()
    torch.testing.assert_close(pooled(model, images, everything), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TOWERS)
def test_pooled_reads_the_region_alone(build, images, name):
    model = build(name)
    mask = np.zeros((4, 4), bool)
    mask[1:3, 2] = True
    got = pooled(model, images[:1], [mask[None]])[0].double()
    wide = doubled(model, name)
    before = np.zeros(PREFIX[name], bool)
    region = torch.from_numpy(np.concatenate([before, mask.ravel()]))
    with torch.no_grad():
        if name in POOL:
            expected = watched(wide, images[:1].double(), region)[0][0]
        else:
            kept: list[Tensor] = []
            hook = (
                vision_tower(wide.visual)
                .blocks[-1]
                .register_forward_hook(lambda _, inputs, output: kept.append(output))
            )
            wide.encode_image(images[:1].double())
            hook.remove()
            visual, tokens = wide.visual, kept[0][0]
            if name == "vitamin":
                expected = visual.head(
                    visual.trunk.fc_norm(visual.trunk.norm(tokens)[region].mean(0))
                )
            elif name == "clipa":
                expected = visual.ln_post(tokens[region].mean(0)) @ visual.proj
            else:
                expected = visual.ln_post(tokens)[region].mean(0) @ visual.proj
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("name", ["clipa", "siglip", "coca"])
def test_every_method_runs_and_images_do_not_interact(build, images, texts, name, method):
    model = build(name)
    for start_layer in (-1, 0):
        with torch.enable_grad():
            whole = METHODS[method](
                open_scene(model, images, text_head(model, texts)),
                Asked.of(TARGETS, TARGETS),
                start_layer,
            ).detach()
            alone = METHODS[method](
                open_scene(model, images[:1], text_head(model, texts)),
                Asked.of(TARGETS[:1], TARGETS[:1]),
                start_layer,
            ).detach()
        assert whole.shape == (4, 4, 4) and (whole >= 0).all()
        assert (whole.flatten(1).amax(1) > whole.flatten(1).amin(1)).all()
        torch.testing.assert_close(whole[:1], alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["siglip", "coca"])
def test_value_of_a_pool_is_the_feature_of_a_patch_alone(build, images, texts, name):
    model = build(name)
    single = np.eye(16, dtype=bool).reshape(16, 4, 4)
    features = pooled(model, images, [single] * 4)  # (4 * 16, D)
    logits = logits_of(model, features.double(), texts).float().reshape(4, 16, -1)
    expected = logits[torch.arange(4), :, TARGETS]
    expected = (expected - expected.amin(1, keepdim=True)).reshape(4, 4, 4)
    with torch.enable_grad():
        scene = open_scene(model, images, text_head(model, texts))
        got = METHODS["value"](scene, Asked.of(TARGETS, TARGETS), -1)
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)
