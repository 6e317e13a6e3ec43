"""Towers of convolutions: Grad-CAM, pooled regions and the pass, each against a plain restatement.

The restatement hooks the last stage of the network itself and writes its head out by hand, in
float64: the mean of the cells for ConvNeXt and FastViT, OpenAI's attention pool for ResNet.
"""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear, normalize

from mapcap.errors import UserError
from mapcap.explanation import Method, explain
from mapcap.metrics.faithfulness import blurring, dropping
from mapcap.networks.towers import vision_tower
from mapcap.relevance import METHODS, Asked, chefer, open_scene
from mapcap.representations import encode_images, pooled

TOWERS = ["resnet", "convnext", "fastvit"]
TRUE = torch.tensor([0, 1, 2])


@pytest.fixture
def images() -> Tensor:
    return torch.randn(3, 3, 128, 128, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=TOWERS)
def name(request) -> str:
    return request.param


@pytest.fixture
def model(build, name) -> Any:
    """With running statistics of its own: a norm that changes nothing would hide a fault."""
    network = build(name)
    draw = torch.Generator().manual_seed(4)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):  # else numbers grow from layer to layer
            noise = torch.randn(module.weight.shape, generator=draw)
            module.weight.data = noise * module.weight[0].numel() ** -0.5
        elif isinstance(module, torch.nn.BatchNorm2d):
            mean, variance = module.get_buffer("running_mean"), module.get_buffer("running_var")
            mean += 0.1 * torch.randn(mean.shape, generator=draw)
            variance *= 1 + torch.rand(variance.shape, generator=draw)
    return network


def last_stage(wide: Any, name: str, images: Tensor) -> Tensor:
    """Activations (B, C, 4, 4) in float64, a leaf."""
    visual = wide.visual
    module = {"resnet": "layer4", "convnext": "trunk.norm_pre", "fastvit": "trunk.final_conv"}[name]
    kept: list[Tensor] = []
    hook = visual.get_submodule(module).register_forward_hook(lambda _m, _i, out: kept.append(out))
    with torch.no_grad(), hook:
        wide.encode_image(images.double())
    return kept[0].detach().requires_grad_()


def plain_head(wide: Any, name: str, cells: Tensor) -> Tensor:
    """Features (D,) of some cells (C, n) with their places in the grid `at` (n,)."""
    visual = wide.visual
    mean = cells.mean(1)  # (C,)
    if name == "fastvit":
        return visual.head(mean)
    norm = visual.trunk.head.norm
    return visual.head(layer_norm(mean, mean.shape, norm.weight, norm.bias, norm.eps))


def plain_attention_pool(wide: Any, cells: Tensor, at: Tensor) -> Tensor:
    """OpenAI's attention pool over cells (C, n) at places `at` (n,) of the grid, head by head."""
    pool = wide.visual.attnpool
    x = torch.cat([cells.mean(1, keepdim=True), cells], 1).T  # (1 + n, C)
    x = x + pool.positional_embedding[torch.cat([torch.tensor([0]), at + 1])]
    q, k, v = (linear(x, p.weight, p.bias) for p in (pool.q_proj, pool.k_proj, pool.v_proj))
    size = q.shape[1] // pool.num_heads
    parts = []
    for start in range(0, q.shape[1], size):
        of = slice(start, start + size)
        parts.append((q[0, of] @ k[:, of].T / size**0.5).softmax(0) @ v[:, of])
    return pool.c_proj(torch.cat(parts))


def plain_features(wide: Any, name: str, activations: Tensor, mask: Tensor) -> Tensor:
    cells, at = activations.flatten(1)[:, mask.flatten()], mask.flatten().nonzero()[:, 0]
    if name == "resnet":
        return plain_attention_pool(wide, cells, at)
    return plain_head(wide, name, cells)


def maps_of(method: str, model: Any, images: Tensor, texts: Tensor, true=TRUE, predicted=TRUE):
    with torch.enable_grad():
        scene = open_scene(model, images, texts)
        return METHODS[method](scene, Asked.of(true, predicted), -1).detach()


def test_the_restatement_is_the_network(model, name, images):
    wide = copy.deepcopy(model).double()
    everything = torch.ones(4, 4, dtype=torch.bool)
    stage = last_stage(wide, name, images)
    plain = torch.stack([plain_features(wide, name, cells, everything) for cells in stage])
    torch.testing.assert_close(plain, encode_images(wide, images.double()), rtol=1e-9, atol=1e-9)


def test_grad_cam_is_the_plain_computation(model, name, images, texts):
    wide = copy.deepcopy(model).double()
    everything = torch.ones(4, 4, dtype=torch.bool)
    got = maps_of("gradcam", model, images, texts)
    stage, plain = last_stage(wide, name, images), []
    for image, target in enumerate(TRUE.tolist()):
        feature = plain_features(wide, name, stage[image], everything)
        score = wide.logit_scale.exp() * normalize(feature, dim=0) @ texts[target].double()
        (gradient,) = torch.autograd.grad(score, stage)
        expected = torch.zeros(4, 4, dtype=torch.float64)
        for channel, slope in zip(stage[image].detach(), gradient[image], strict=True):
            expected += slope.mean() * channel
        plain.append(expected.relu())
    expected = torch.stack(plain)
    assert (expected.amax((1, 2)) > 1e-3).sum() >= 2, "two maps at least are not empty"
    assert (got.double() - expected).abs().max() <= 1e-4 * expected.max()


def test_pooled_over_all_cells_is_the_networks_own_feature(model, images):
    everything = [np.ones((1, 4, 4), bool)] * 3
    expected = encode_images(model, images)
    torch.testing.assert_close(pooled(model, images, everything), expected, rtol=1e-4, atol=1e-4)


def test_pooled_is_the_head_on_the_regions_cells_alone(model, name, images):
    wide = copy.deepcopy(model).double()
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[1:3, 2] = mask[0, 0] = True
    lone = torch.zeros(4, 4, dtype=torch.bool)
    lone[3, 1] = True
    got = pooled(model, images, [mask[None], torch.stack([lone, mask]), lone[None]])
    stage = last_stage(wide, name, images)
    with torch.no_grad():
        expected = torch.stack(
            [
                plain_features(wide, name, stage[image], region)
                for image, region in [(0, mask), (1, lone), (1, mask), (2, lone)]
            ]
        )
    torch.testing.assert_close(got.double(), expected, rtol=1e-4, atol=1e-4)


def test_more_regions_than_go_through_the_head_at_once(model, images):
    masks = [np.eye(16, dtype=bool).reshape(16, 4, 4).repeat(5, 0)] * 3
    together = pooled(model, images, masks).view(3, 16, 5, -1)
    alone = pooled(model, images[1:2], [masks[1][::5]])
    torch.testing.assert_close(together[1, :, 3], alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("relevance", ["gradcam", "value", "occlusion"])
def test_the_pass_uses_it_and_images_do_not_interact(model, images, texts, relevance):
    method = Method("pooled", "mean", 3, 0.01, relevance, -1)
    whole = explain(model, images, texts, TRUE, method)
    assert (whole.grids >= 0).all() and whole.grids.any()
    assert len(set(whole.maps.roles)) == 3, "an error is needed to try all roles"
    assert len(whole.region_features) == sum(map(len, whole.regions)) > 0
    torch.testing.assert_close(
        torch.from_numpy(whole.features), encode_images(model, images), rtol=1e-4, atol=1e-4
    )
    for image in range(3):
        alone = explain(model, images[image : image + 1], texts, TRUE[image : image + 1], method)
        mine = whole.maps.images == image
        np.testing.assert_allclose(whole.grids[mine], alone.grids, rtol=1e-2, atol=1e-3)


def test_value_is_the_match_of_each_cell_alone(model, images, texts):
    features = pooled(model, images, [np.eye(16, dtype=bool).reshape(16, 4, 4)] * 3)
    logits = (model.logit_scale.exp() * normalize(features, dim=-1) @ texts.T).view(3, 16, -1)
    expected = logits[torch.arange(3), :, TRUE]
    expected = (expected - expected.amin(1, keepdim=True)).view(3, 4, 4)
    got = maps_of("value", model, images, texts)
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-3)


def test_what_needs_attention_or_tokens_says_so(model, images, texts):
    for method in ("chefer", "legrad", "rollout"):
        with pytest.raises(UserError, match="--relevance gradcam"):
            maps_of(method, model, images, texts)
    with pytest.raises(UserError, match="convolutions"):
        chefer(model, images, texts)
    with pytest.raises(UserError, match="convolutions"):
        dropping(model, images)(torch.arange(3), torch.zeros(3, 2, dtype=torch.long))
    kept = torch.arange(16).expand(3, -1)
    expected = encode_images(model, images)
    torch.testing.assert_close(blurring(model, images)(torch.arange(3), kept), expected)


def test_half_precision_stops_before_the_head(model, images, texts):
    scene = open_scene(model, images, texts, torch.bfloat16)
    assert scene.leaf.dtype == scene.features.dtype == torch.float32
    exact = encode_images(model, images)
    assert (torch.cosine_similarity(scene.features, exact) > 0.98).all()
    assert not torch.equal(scene.features, exact)


def test_the_model_is_as_it_was(model, images, texts):
    before = encode_images(model, images)
    maps_of("gradcam", model, images, texts)
    assert len(vision_tower(model.visual).blocks) in (4, 5)
    assert not any(module._forward_pre_hooks for module in model.modules())
    torch.testing.assert_close(encode_images(model, images), before, rtol=0, atol=0)
