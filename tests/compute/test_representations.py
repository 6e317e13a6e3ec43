"""Region features: `pooled` against loops and against the model itself, pictures by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import layer_norm

from mapcap.errors import UserError
from mapcap.networks.last_block import before_last_block, read_pooled
from mapcap.networks.towers import require_attention, vision_tower
from mapcap.regions import Region, find_regions, heat
from mapcap.representations import (
    REPRESENTATIONS,
    draw,
    embed_regions,
    encode_images,
    pooled,
)

TOWERS = ["native", "quickgelu", "timm", "eva"]


def some_masks() -> list[np.ndarray]:
    """Two regions, none, one and three, for four images of 4 x 4 patches."""
    rng = np.random.default_rng(5)
    masks = [rng.random((count, 4, 4)) > 0.6 for count in (2, 0, 1, 3)]
    masks[2][0] = False
    masks[2][0, 1, 2] = True  # a single patch
    return masks


@torch.no_grad()
def plain_pooled(model: Any, image: Tensor, mask: np.ndarray) -> Tensor:
    """The native tower's last block for the CLS token alone, head by head."""
    visual = model.visual
    block = visual.transformer.resblocks[-1]
    inputs: list[Tensor] = []
    hook = block.register_forward_pre_hook(lambda module, args: inputs.append(args[0][0]))
    visual(image[None])
    hook.remove()
    x = inputs[0].double()
    w = {name: value.double() for name, value in block.state_dict().items()}
    y = layer_norm(x, (32,), w["ln_1.weight"], w["ln_1.bias"])
    q, k, v = (y @ w["attn.in_proj_weight"].T + w["attn.in_proj_bias"]).chunk(3, dim=1)
    region = 1 + np.flatnonzero(mask)
    context = []
    for head in range(4):
        c = slice(8 * head, 8 * head + 8)
        scores = torch.stack([q[0, c] @ k[n, c] / 8**0.5 for n in region]).exp()
        values = torch.stack([v[n, c] for n in region])
        context.append((scores / scores.sum()) @ values)
    token = x[0] + torch.cat(context) @ w["attn.out_proj.weight"].T + w["attn.out_proj.bias"]
    hidden = layer_norm(token, (32,), w["ln_2.weight"], w["ln_2.bias"])
    hidden = block.mlp.gelu(hidden @ w["mlp.c_fc.weight"].T + w["mlp.c_fc.bias"])
    token = token + hidden @ w["mlp.c_proj.weight"].T + w["mlp.c_proj.bias"]
    post = visual.ln_post
    return layer_norm(token, (32,), post.weight.double(), post.bias.double()) @ visual.proj.double()


@pytest.mark.parametrize("name", ["native", "quickgelu"])
def test_pooled_equals_the_plain_computation(build, images, name):
    model = build(name)
    masks = some_masks()
    got = pooled(model, images, masks)
    pairs = [(image, mask) for image, of in zip(images, masks, strict=True) for mask in of]
    assert got.shape == (len(pairs), 24)
    assert not got.requires_grad
    for (image, mask), row in zip(pairs, got, strict=True):
        expected = plain_pooled(model, image, mask)
        torch.testing.assert_close(row.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TOWERS)
def test_seeing_every_token_is_the_models_own_feature(build, images, name):
    """With CLS and registers let in, pooling all patches is the ordinary forward pass."""
    model = build(name)
    tower = require_attention(vision_tower(model.visual))
    everything = torch.ones(4, tower.prefix + 16, dtype=torch.bool)
    with torch.no_grad():
        last = before_last_block(model, tower, images)
        got = read_pooled(tower, last, torch.tensor([2, 0, 1, 3]), everything)
    torch.testing.assert_close(got, encode_images(model, images[[2, 0, 1, 3]]))


@pytest.mark.parametrize("name", TOWERS)
def test_pooled_does_not_see_outside_the_region(build, images, name):
    """Other values at the hidden tokens' last block change nothing, at the region's they do."""
    model = build(name)
    tower = require_attention(vision_tower(model.visual))
    seen = torch.zeros(1, tower.prefix + 16, dtype=torch.bool)
    seen[:, tower.prefix + 3] = True
    with torch.no_grad():
        last = before_last_block(model, tower, images[:1])
        expected = read_pooled(tower, last, torch.tensor([0]), seen)
        outside = last._replace(value=last.value + 9.0 * ~seen[0, :, None])
        inside = last._replace(value=last.value + 9.0 * seen[0, :, None])
        torch.testing.assert_close(read_pooled(tower, outside, torch.tensor([0]), seen), expected)
        assert not torch.allclose(read_pooled(tower, inside, torch.tensor([0]), seen), expected)
    mask = seen[:, tower.prefix :].view(1, 4, 4)
    torch.testing.assert_close(pooled(model, images[:1], [mask]), expected)


@pytest.mark.parametrize("name", ["native", "timm"])
def test_pooled_does_not_depend_on_the_batch_and_keeps_the_model(build, images, name):
    model = build(name)
    before = encode_images(model, images)
    masks = some_masks()
    together = pooled(model, images, masks)
    alone = [pooled(model, image[None], [of]) for image, of in zip(images, masks, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encode_images(model, images), before, rtol=0, atol=0)
    assert not any(module._forward_pre_hooks for module in model.modules())
    with pytest.raises(RuntimeError):
        pooled(model, images[:, :1], masks)
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_pooled_in_half_precision(build, images, dtype):
    exact = pooled(build("native"), images, some_masks())
    half = pooled(build("native").to(dtype), images, some_masks())
    assert half.dtype == dtype
    cosine = torch.cosine_similarity(half.float(), exact, dim=1)
    assert (cosine > 0.999).all()


def test_pooled_refuses_an_empty_mask_and_a_tower_that_is_not_known(build, images):
    with pytest.raises(ValueError, match="at least one patch"):
        pooled(build("native"), images[:1], [np.zeros((1, 4, 4), bool)])
    with pytest.raises(UserError, match="VisionTransformer"):
        pooled(build("coca-cascade"), images[:1], [np.ones((1, 4, 4), bool)])


def regions_of(grids: np.ndarray) -> list[list[Region]]:
    return [find_regions(grid, (32, 32), "mean", 3, 0.001) for grid in grids]


@pytest.fixture
def grids() -> np.ndarray:
    grids = np.random.default_rng(8).random((4, 4, 4)) ** 4
    grids[1] = 0  # an image without regions
    return grids


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_embed_regions_gives_one_row_a_region_in_order(build, images, grids, representation):
    model = build("native")
    found = regions_of(grids)
    assert [len(of) for of in found].count(0) == 1
    assert max(len(of) for of in found) > 1
    got = embed_regions(model, images, grids, found, representation)
    assert got.shape == (sum(len(of) for of in found), 24)
    one_by_one = [
        embed_regions(model, images[i : i + 1], grids[i : i + 1], [[region]], representation)
        for i, of in enumerate(found)
        for region in of
    ]
    torch.testing.assert_close(got, torch.cat(one_by_one), rtol=1e-3, atol=1e-4)
    nothing = embed_regions(model, images, grids, [[], [], [], []], representation)
    assert nothing.shape == (0, 24)


def test_pooled_is_the_default_and_takes_the_regions_patches(build, images, grids):
    model, found = build("timm"), regions_of(grids)
    masks = [np.array([r.patches for r in of]).reshape(-1, 4, 4) for of in found]
    expected = pooled(model, images, masks)
    torch.testing.assert_close(embed_regions(model, images, grids, found), expected)


def test_pictures_go_through_the_models_own_mean_and_std(build, grids):
    """A picture that keeps the view unchanged must give the image's own feature."""
    model = build("native")
    model.visual.preprocess_cfg = {"mean": (0.2, 0.4, 0.6), "std": (0.5, 0.25, 0.125)}
    pixels = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    mean, std = (torch.tensor(model.visual.preprocess_cfg[key]) for key in ("mean", "std"))
    images = (pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    everything = Region(np.ones((32, 32), bool), (0, 0, 32, 32), 1.0, 1.0, np.ones((4, 4), bool))
    expected = encode_images(model, images)
    for representation in ("crop", "blur"):
        got = embed_regions(model, images, grids[:1], [[everything]], representation)
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)
    black = embed_regions(model, images, np.zeros((1, 4, 4)), [[everything]], "weighted")
    background = (-mean / std).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    torch.testing.assert_close(black, encode_images(model, background), rtol=1e-3, atol=1e-4)


def test_a_crop_is_resized_to_the_input_size(build, grids):
    """Against Pillow, which the models' own preprocessing resizes with."""
    model = build("native")
    model.visual.preprocess_cfg = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    smooth = np.add.outer(np.linspace(0, 1, 32), np.linspace(0, 1, 32)) / 2
    image = torch.from_numpy(np.stack([smooth] * 3)).float()[None]
    region = Region(np.ones((32, 32), bool), (4, 8, 20, 31), 1.0, 1.0, np.ones((4, 4), bool))
    part = Image.fromarray(smooth[8:31, 4:20].astype(np.float32))
    cut = np.array(part.resize((32, 32), Image.Resampling.BICUBIC)).clip(0, 1)
    expected = encode_images(model, torch.from_numpy(np.stack([cut] * 3))[None])
    got = embed_regions(model, image, grids[:1], [[region]], "crop")
    torch.testing.assert_close(got, expected, rtol=1e-2, atol=1e-2)


def test_the_five_pictures_by_hand(grids):
    view = np.random.default_rng(2).random((32, 32, 3)).astype(np.float32)
    relevance = heat(grids[0], (32, 32))
    region = regions_of(grids)[0][0]
    inside = region.mask
    pictures = {
        name: draw(name, view, relevance, region, relevance >= 0.5) for name in REPRESENTATIONS[1:]
    }
    for y in range(32):
        for x in range(32):
            pixel, weight = view[y, x], np.float32(relevance[y, x])
            np.testing.assert_allclose(pictures["weighted"][y, x], pixel * weight)
            kept = pixel * weight if inside[y, x] else np.zeros(3)
            np.testing.assert_allclose(pictures["mask"][y, x], kept)
            kept = pixel * weight if weight >= 0.5 else np.zeros(3)
            np.testing.assert_allclose(pictures["mask-all"][y, x], kept)
    x0, y0, x1, y1 = region.box
    np.testing.assert_array_equal(pictures["crop"], view[y0:y1, x0:x1])
    np.testing.assert_array_equal(pictures["blur"][inside], view[inside])
    outside = pictures["blur"][~inside]
    assert outside.std() < view[~inside].std() / 2
    assert outside.mean() == pytest.approx(view.mean(), abs=0.03)
    assert all(picture.dtype == np.float32 for picture in pictures.values())


def test_unknown_representations_are_refused(build, images, grids):
    with pytest.raises(ValueError, match="sketch"):
        embed_regions(build("native"), images, grids, regions_of(grids), "sketch")
    with pytest.raises(ValueError, match="pooled"):
        empty = np.zeros((32, 32))
        view = np.zeros((32, 32, 3), np.float32)
        draw("pooled", view, empty, regions_of(grids)[0][0], empty > 0)
