"""Each relevance method of the registry against a plain restatement of its formula."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from mapcap.config import RELEVANCE_METHODS
from mapcap.explanation import Method, explain
from mapcap.heads import text_head
from mapcap.relevance import METHODS, Asked, open_scene

TRUE = torch.tensor([0, 1, 2, 3])
GRID = (4, 4)


def maps_of(name, model, images, texts, start_layer=-1, true=TRUE, predicted=TRUE):
    with torch.enable_grad():
        scene = open_scene(model, images, text_head(model, texts))
        return METHODS[name](scene, Asked.of(true, predicted), start_layer).detach()


def plain_tower(model, images):
    """The tokens after each block and the attention of each, by open_clip's own modules.

    Tokens (B, N, width), attention (B, H, N, N); a graph leads from the last to the first.
    """
    visual, tokens, attention = model.visual, [], []
    x = visual._embeds(images)
    for block in visual.transformer.resblocks:
        normed = block.ln_1(x)
        q, k, v = torch.nn.functional.linear(
            normed, block.attn.in_proj_weight, block.attn.in_proj_bias
        ).chunk(3, -1)
        heads = block.attn.num_heads
        q, k, v = (t.reshape(*t.shape[:2], heads, -1).transpose(1, 2) for t in (q, k, v))
        a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        attention.append(a)
        mixed = (a @ v).transpose(1, 2).flatten(2)
        x = x + block.ls_1(block.attn.out_proj(mixed))
        x = x + block.ls_2(block.mlp(block.ln_2(x)))
        tokens.append(x)
    return tokens, attention


def head(model, token):
    return model.visual.ln_post(token) @ model.visual.proj


def scores(model, features, texts):
    return model.logit_scale.exp() * normalize(features, dim=-1) @ texts.T


@pytest.fixture
def model(build):
    return build("native")


def test_the_options_are_the_registry():
    assert set(RELEVANCE_METHODS) == set(METHODS)


def test_the_restatement_is_the_network(model, images, texts):
    tokens, _ = plain_tower(model, images)
    expected = model.encode_image(images)
    torch.testing.assert_close(head(model, tokens[-1][:, 0]), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("start_layer", [-1, 0, 1])
def test_rollout_multiplies_half_attention_half_identity(model, images, texts, start_layer):
    _, attention = plain_tower(model, images)
    product = torch.eye(attention[0].shape[-1])
    for a in attention[start_layer:]:
        product = (a.mean(1) + torch.eye(a.shape[-1])) / 2 @ product
    expected = product[:, 0, 1:].reshape(-1, *GRID)
    torch.testing.assert_close(
        maps_of("rollout", model, images, texts, start_layer), expected, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("start_layer", [-1, 0])
def test_legrad_is_the_gradient_of_each_layers_own_score(model, images, texts, start_layer):
    tokens, attention = plain_tower(model, images)
    total = torch.zeros(())
    chosen = list(zip(tokens, attention, strict=True))[start_layer:]
    for x, a in chosen:
        score = scores(model, head(model, x.mean(1)), texts)[range(4), TRUE].sum()
        (gradient,) = torch.autograd.grad(score, a, retain_graph=True)
        total = total + gradient.clamp(min=0).mean(1).mean(1)
    expected = (total / len(chosen))[:, 1:].reshape(-1, *GRID)
    found = maps_of("legrad", model, images, texts, start_layer)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


def test_value_reads_each_patch_by_itself(model, images, texts):
    tokens, _ = plain_tower(model, images)
    block, x = model.visual.transformer.resblocks[-1], tokens[-2]
    width = x.shape[-1]
    value = torch.nn.functional.linear(
        block.ln_1(x), block.attn.in_proj_weight[2 * width :], block.attn.in_proj_bias[2 * width :]
    )
    x = x + block.ls_1(block.attn.out_proj(value))
    x = x + block.ls_2(block.mlp(block.ln_2(x)))
    of_patches = scores(model, head(model, x[:, 1:]), texts)[range(4), :, TRUE]
    expected = (of_patches - of_patches.amin(1, keepdim=True)).reshape(-1, *GRID)
    found = maps_of("value", model, images, texts)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", RELEVANCE_METHODS)
@pytest.mark.parametrize("tower", ["native", "timm", "eva"])
def test_the_pass_uses_it_and_images_do_not_interact(build, images, texts, name, tower):
    model = build(tower)
    method = Method("pooled", "mean", 3, 0.01, name, -1)
    whole = explain(model, images, text_head(model, texts), TRUE, method)
    assert (whole.grids >= 0).all() and whole.grids.any()
    assert len(set(whole.maps.roles)) == 3, "an error is needed to try all roles"
    for image in range(4):
        alone = explain(
            model,
            images[image : image + 1],
            text_head(model, texts),
            TRUE[image : image + 1],
            method,
        )
        mine = whole.maps.images == image
        np.testing.assert_allclose(whole.grids[mine], alone.grids, rtol=1e-3, atol=1e-5)
        assert [r for r, m in zip(whole.maps.roles, mine, strict=True) if m] == [*alone.maps.roles]


def test_only_rollout_knows_nothing_of_the_text(model, images, texts):
    other = TRUE.roll(1)
    for name in RELEVANCE_METHODS:
        same = torch.equal(
            maps_of(name, model, images, texts),
            maps_of(name, model, images, texts, -1, other, other),
        )
        assert same == (name == "rollout"), name
