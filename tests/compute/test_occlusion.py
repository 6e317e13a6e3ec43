"""Occlusion against covering squares by hand, and Grad-CAM of a transformer by its own modules."""

from typing import Any

import pytest
import torch
from torch.nn.functional import normalize

from mapcap.relevance import METHODS, Asked, open_scene
from mapcap.representations import encode_images

TRUE = torch.tensor([0, 1, 2, 3])


def maps_of(name, model, images, texts):
    with torch.enable_grad():
        return METHODS[name](open_scene(model, images, texts), Asked.of(TRUE, TRUE), -1).detach()


def scores(model, images, texts):
    logits = model.logit_scale.exp() * normalize(encode_images(model, images), dim=-1) @ texts.T
    return logits[range(4), TRUE]


def test_a_square_of_one_patch_gives_its_fall(build, images, texts):
    """A grid of 4 x 4 has squares of one patch."""
    model = build("native")
    expected = torch.zeros(4, 4, 4)
    for row in range(4):
        for column in range(4):
            covered = images.clone()
            covered[:, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 0
            expected[:, row, column] = scores(model, images, texts) - scores(model, covered, texts)
    got = maps_of("occlusion", model, images, texts)
    torch.testing.assert_close(got, expected.clamp(min=0), rtol=1e-3, atol=1e-3)


def test_larger_squares_are_averaged_over_what_they_cover(images, texts):
    """Where a network reads one pixel, every square over it costs the same."""

    class Pixel(torch.nn.Module):
        def __init__(self, real):
            super().__init__()
            self.visual, self.logit_scale = real.visual, real.logit_scale

        def encode_image(self, pictures):
            seen = pictures[:, 0, 2, 2]  # in the first patch of 4 x 4
            return torch.stack([1 + seen, torch.ones_like(seen)], 1)

    from tests.compute.conftest import native, randomise

    wide: Any = randomise(native(vision={"patch_size": 4}))
    scene = open_scene(wide, images, texts)
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    plain: Any = Pixel(wide)
    bright = images.clone()
    bright[:, 0, 2, 2] = 2.0
    fake = type(scene)(
        plain, scene.tower, bright, features, scene.last, scene.leaf, plain.encode_image(bright),
        plain.logit_scale.exp() * normalize(plain.encode_image(bright), dim=-1) @ features.T,
    )  # fmt: skip
    zeros = torch.zeros(4, dtype=torch.long)
    got = METHODS["occlusion"](fake, Asked.of(zeros, zeros), -1)
    fall = wide.logit_scale.exp() * (3 / 10**0.5 - 1 / 2**0.5)
    # Squares of 2 x 2 patches: the corner has one, its neighbours share it with others that miss.
    torch.testing.assert_close(got[:, 0, 0], fall.detach().expand(4), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got[:, 0, 1], fall.detach().expand(4) / 2, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got[:, 1, 1], fall.detach().expand(4) / 4, rtol=1e-4, atol=1e-4)
    assert not got[:, 2:, 2:].any()


@pytest.mark.parametrize("name", ["native", "clipa"])
def test_grad_cam_of_a_transformer_is_taken_before_its_last_block(build, images, texts, name):
    model = build(name)
    visual = model.visual
    with torch.no_grad():
        tokens = visual._embeds(images)
        for block in visual.transformer.resblocks[:-1]:
            tokens = block(tokens)
    tokens.requires_grad_()
    last = visual.transformer.resblocks[-1](tokens)
    if name == "clipa":
        features = visual.ln_post(last[:, 1:].mean(1)) @ visual.proj
    else:
        features = visual.ln_post(last[:, 0]) @ visual.proj
    logits = model.logit_scale.exp() * normalize(features, dim=-1) @ texts.T
    (gradient,) = torch.autograd.grad(logits[range(4), TRUE].sum(), tokens)
    weights = gradient[:, 1:].mean(1)  # (B, width)
    expected = torch.einsum("bpc,bc->bp", tokens[:, 1:].detach(), weights).relu().view(4, 4, 4)
    got = maps_of("gradcam", model, images, texts)
    assert expected.max() > 0
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4 * float(expected.max()))
