"""Relevance against a plain computation: one image, one head at a time, float64, the whole R."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, normalize

from mapcap.errors import UserError
from mapcap.relevance import chefer, chefer_text, relevance_maps

START_LAYERS = [-1, -2, 0, 1]


class Plain:
    """A transformer written out by hand in float64, keeping each layer's attention (H, N, N)."""

    def __init__(self, module: nn.Module, heads: int, eps: float, act=gelu) -> None:
        self.w = {name: value.double() for name, value in module.state_dict().items()}
        self.heads, self.eps, self.act = heads, eps, act
        self.attention: list[Tensor] = []
        self.nudge: dict[int, Tensor] = {}  # layer -> (H, N, N) added to its attention

    def norm(self, x: Tensor, name: str, eps: float | None = None) -> Tensor:
        weight, bias = self.w[f"{name}.weight"], self.w[f"{name}.bias"]
        return layer_norm(x, weight.shape, weight, bias, eps or self.eps)

    def linear(self, x: Tensor, name: str) -> Tensor:
        y = x @ self.w[f"{name}.weight"].T
        return y + self.w[f"{name}.bias"] if f"{name}.bias" in self.w else y

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | float = 0.0) -> Tensor:
        """Heads side by side in the columns of q, k, v (N, D), as every one of the towers has."""
        size = q.shape[1] // self.heads
        columns = [slice(h * size, (h + 1) * size) for h in range(self.heads)]
        logits = [q[:, c] @ k[:, c].T / size**0.5 + mask for c in columns]
        attention = torch.stack(
            [(z - z.max()).exp() / (z - z.max()).exp().sum(1, True) for z in logits]
        )
        attention = attention + self.nudge.get(len(self.attention), 0.0)
        self.attention.append(attention)
        return torch.cat([attention[h] @ v[:, c] for h, c in enumerate(columns)], dim=1)


def quick_gelu(x: Tensor) -> Tensor:
    return x / (1 + (-1.702 * x).exp())


def native_block(p: Plain, x: Tensor, name: str, mask: Tensor | float = 0.0) -> Tensor:
    weight, bias = p.w[f"{name}.attn.in_proj_weight"], p.w[f"{name}.attn.in_proj_bias"]
    q, k, v = (p.norm(x, f"{name}.ln_1") @ weight.T + bias).chunk(3, dim=1)
    x = x + p.linear(p.attend(q, k, v, mask), f"{name}.attn.out_proj")
    hidden = p.act(p.linear(p.norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc"))
    return x + p.linear(hidden, f"{name}.mlp.c_proj")


def patches(image: Tensor) -> Tensor:
    cells = [image[:, y : y + 8, x : x + 8] for y in range(0, 32, 8) for x in range(0, 32, 8)]
    return torch.stack([cell.flatten() for cell in cells]).double()


def native_image(model: Any, image: Tensor, nudge=None) -> tuple[Tensor, list[Tensor]]:
    is_quick = type(model.visual.transformer.resblocks[0].mlp.gelu).__name__ == "QuickGELU"
    p = Plain(model.visual, heads=4, eps=1e-5, act=quick_gelu if is_quick else gelu)
    p.nudge = nudge or {}
    x = patches(image) @ p.w["conv1.weight"].flatten(1).T
    x = torch.cat([p.w["class_embedding"][None], x]) + p.w["positional_embedding"]
    x = p.norm(x.requires_grad_(), "ln_pre")
    for layer in range(3):
        x = native_block(p, x, f"transformer.resblocks.{layer}")
    return p.norm(x[0], "ln_post") @ p.w["proj"], p.attention


def timm_image(model: Any, image: Tensor, nudge=None) -> tuple[Tensor, list[Tensor]]:
    p = Plain(model.visual, heads=4, eps=1e-6)
    p.nudge = nudge or {}
    embed = "trunk.patch_embed.proj"
    x = patches(image) @ p.w[f"{embed}.weight"].flatten(1).T + p.w[f"{embed}.bias"]
    x = torch.cat([p.w["trunk.cls_token"][0], p.w["trunk.reg_token"][0], x])
    x = (x + p.w["trunk.pos_embed"][0]).requires_grad_()
    for layer in range(3):
        name = f"trunk.blocks.{layer}"
        q, k, v = p.linear(p.norm(x, f"{name}.norm1"), f"{name}.attn.qkv").chunk(3, dim=1)
        q = torch.cat([p.norm(part, f"{name}.attn.q_norm") for part in q.chunk(4, 1)], 1)
        k = torch.cat([p.norm(part, f"{name}.attn.k_norm") for part in k.chunk(4, 1)], 1)
        x = x + p.w[f"{name}.ls1.gamma"] * p.linear(p.attend(q, k, v), f"{name}.attn.proj")
        hidden = gelu(p.linear(p.norm(x, f"{name}.norm2"), f"{name}.mlp.fc1"))
        x = x + p.w[f"{name}.ls2.gamma"] * p.linear(hidden, f"{name}.mlp.fc2")
    return p.linear(p.norm(x[0], "trunk.norm"), "head.0"), p.attention


def native_text(model: Any, tokens: Tensor, at: int | None = None) -> tuple[Tensor, list[Tensor]]:
    text = getattr(model, "text", model)
    p = Plain(text, heads=2, eps=1e-5)
    x = p.w["token_embedding.weight"][tokens] + p.w["positional_embedding"]
    x = x.requires_grad_()
    mask = torch.full((len(tokens), len(tokens)), float("-inf")).triu(1)
    for layer in range(3):
        x = native_block(p, x, f"transformer.resblocks.{layer}", mask)
    end = int((tokens == 59).nonzero()[0]) if at is None else at
    return p.norm(x[end], "ln_final") @ p.w["text_projection"], p.attention


def bert_text(model: Any, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
    p = Plain(model.text, heads=2, eps=1e-12)
    name = "transformer.embeddings"
    x = p.w[f"{name}.word_embeddings.weight"][tokens] + p.w[f"{name}.position_embeddings.weight"]
    x = p.norm(x + p.w[f"{name}.token_type_embeddings.weight"][0], f"{name}.LayerNorm")
    x = x.requires_grad_()
    real = tokens != 0
    mask = torch.zeros(len(tokens), dtype=torch.float64).masked_fill(~real, float("-inf"))
    for layer in range(3):
        name = f"transformer.encoder.layer.{layer}"
        q, k, v = (p.linear(x, f"{name}.attention.self.{n}") for n in ("query", "key", "value"))
        out = p.linear(p.attend(q, k, v, mask), f"{name}.attention.output.dense")
        x = p.norm(x + out, f"{name}.attention.output.LayerNorm")
        out = p.linear(gelu(p.linear(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
        x = p.norm(x + out, f"{name}.output.LayerNorm")
    return p.linear(x[real].mean(0), "proj"), p.attention


def logits_of(model: Any, feature: Tensor, others: Tensor) -> Tensor:
    scale = model.logit_scale.double().exp().detach()
    return scale * normalize(others.double(), dim=-1) @ normalize(feature, dim=-1)


def whole_relevance(score: Tensor, attention: list[Tensor], start_layer: int) -> Tensor:
    """R (N, N) of the paper, head by head, from the first layer that counts to the last."""
    gradients = torch.autograd.grad(score, attention, retain_graph=True)
    relevance = torch.eye(attention[0].shape[-1], dtype=torch.float64)
    for a, g in list(zip(attention, gradients, strict=True))[start_layer % len(attention) :]:
        mean = torch.stack([(g[h] * a[h]).clamp(min=0) for h in range(len(a))]).mean(0)
        relevance = relevance + mean @ relevance
    return relevance.detach()


PLAIN_IMAGE = {"native": (native_image, 1), "quickgelu": (native_image, 1), "timm": (timm_image, 3)}


def plain_map(model, name, image, texts, weights, start_layer) -> Tensor:
    forward, prefix = PLAIN_IMAGE[name]
    feature, attention = forward(model, image)
    score = (weights.double() * logits_of(model, feature, texts)).sum()
    return whole_relevance(score, attention, start_layer)[0, prefix:].view(4, 4)


@pytest.mark.parametrize("start_layer", START_LAYERS)
@pytest.mark.parametrize("name", PLAIN_IMAGE)
def test_chefer_equals_the_plain_computation(build, images, texts, name, start_layer):
    model = build(name)
    targets = torch.tensor([0, 3, 3, 1])
    got = chefer(model, images, texts, targets, start_layer)
    for image, target, grid in zip(images, targets, got, strict=True):
        expected = plain_map(model, name, image, texts, torch.eye(5)[target], start_layer)
        torch.testing.assert_close(grid.double(), expected, rtol=1e-4, atol=1e-6)
    assert (got.flatten(1).amax(1) > 1e-3).all()


@pytest.mark.parametrize("name", ["native", "timm"])
def test_plain_gradient_agrees_with_finite_differences(build, images, texts, name):
    """The reference's own gradient, by nudging single attention entries of each layer."""
    model = build(name)
    forward, _ = PLAIN_IMAGE[name]
    feature, attention = forward(model, images[0])
    gradients = torch.autograd.grad(logits_of(model, feature, texts)[2], attention)
    for layer, entry in [(0, (1, 5, 3)), (1, (3, 0, 2)), (2, (0, 0, 7)), (2, (2, 0, 0))]:
        nudge = torch.zeros_like(attention[layer])
        nudge[entry] = 1e-6
        up, down = (
            logits_of(model, forward(model, images[0], {layer: sign * nudge})[0], texts)[2]
            for sign in (1, -1)
        )
        slope = (up - down).item() / 2e-6
        assert slope == pytest.approx(gradients[layer][entry].item(), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("start_layer", START_LAYERS)
@pytest.mark.parametrize("name", ["custom-text", "native", "bert", "last"])
def test_chefer_text_equals_the_plain_computation(build, images, tokens, name, start_layer):
    model = build(name)
    got = chefer_text(model, images, tokens, start_layer)
    assert (got > 0).any()
    for image, text, row in zip(images, tokens, got, strict=True):
        at = {"at": 8} if name == "last" else {}
        feature, attention = (bert_text if name == "bert" else native_text)(model, text, **at)
        image_feature = native_image(model, image)[0].detach()
        relevance = whole_relevance(
            logits_of(model, feature, image_feature), attention, start_layer
        )
        end = int((text == 59).nonzero()[0])
        if name == "last":  # read at the last position; without padding nothing marks the end
            end = int((text != 0).sum())
        rows = {"bert": text != 0, "last": [8]}
        read = relevance[rows.get(name, [end])].mean(0)
        expected = torch.zeros(9, dtype=torch.float64)
        expected[1:end] = read[1:end]
        torch.testing.assert_close(row.double(), expected, rtol=1e-4, atol=1e-6)


def test_text_ends_at_the_configured_id_or_reads_the_cls_row(build, images, tokens):
    ended = tokens.masked_fill(tokens == 59, 57)
    for name in ("eos", "bert-cls"):
        relevance = chefer_text(build(name), images, ended, start_layer=0)
        proper = torch.arange(9) < (ended == 57).int().argmax(1, keepdim=True)
        proper[:, 0] = False
        assert (relevance[~proper] == 0).all()
        assert (relevance[proper] > 0).any()


def test_target_none_is_the_best_text(build, images, texts):
    model = build("native")
    features = model.encode_image(images)
    best = (normalize(features, dim=-1) @ texts.T).argmax(1)
    assert len(set(best.tolist())) > 1
    torch.testing.assert_close(
        chefer(model, images, texts), chefer(model, images, texts, best), rtol=0, atol=0
    )


def test_maps_of_several_targets_share_a_forward_pass(build, images, texts):
    """True, predicted and contrast of one call; the contrast is set before the gradient."""
    model = build("native")
    passes = []
    model.visual.ln_post.register_forward_hook(lambda *_: passes.append(1))
    true, predicted = torch.tensor([0, 1, 2, 3]), torch.tensor([4, 4, 2, 0])
    contrast = torch.eye(5)[predicted] - torch.eye(5)[true]
    maps = relevance_maps(model, images, texts, [true, predicted, contrast], start_layer=0)
    assert len(passes) == 1
    torch.testing.assert_close(maps[0], chefer(model, images, texts, true, 0))
    torch.testing.assert_close(maps[1], chefer(model, images, texts, predicted, 0))
    for image, weights, grid in zip(images, contrast, maps[2], strict=True):
        expected = plain_map(model, "native", image, texts, weights, 0)
        torch.testing.assert_close(grid.double(), expected, rtol=1e-4, atol=1e-6)
    assert (maps[2][2] == 0).all()  # true = predicted: the contrast is nil
    assert not torch.allclose(maps[2][0], maps[1][0] - maps[0][0], atol=1e-3)


@pytest.mark.parametrize("name", ["native", "timm", "eva"])
def test_a_map_does_not_depend_on_the_batch(build, images, texts, name):
    model = build(name)
    together = chefer(model, images, texts, start_layer=0)
    alone = torch.cat([chefer(model, image[None], texts, start_layer=0) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_works_in_the_callers_grad_mode(build, images, texts, tokens, context):
    model = build("native")
    expected = chefer(model, images, texts), chefer_text(model, images, tokens)
    with context():
        mode = torch.is_grad_enabled()
        fresh = images + 0, normalize(texts * 2, dim=-1)  # made in the caller's mode
        got = chefer(model, *fresh), chefer_text(model, fresh[0], tokens)
        assert torch.is_grad_enabled() == mode
    torch.testing.assert_close(got, expected)
    assert not got[0].requires_grad


@pytest.mark.parametrize("trainable", [True, False])
def test_parameters_are_left_alone(build, images, texts, trainable):
    model = build("native").requires_grad_(trainable)
    model.logit_scale.requires_grad_(not trainable)
    before = copy.deepcopy(model.state_dict())
    flags = [p.requires_grad for p in model.parameters()]
    chefer(model, images, texts, start_layer=0)
    assert [p.requires_grad for p in model.parameters()] == flags
    assert all(p.grad is None for p in model.parameters())
    torch.testing.assert_close(dict(model.state_dict()), dict(before), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["native", "timm"])
def test_half_precision_stays_near(build, images, texts, name, dtype):
    exact = chefer(build(name), images, texts, torch.zeros(4).long(), start_layer=0)
    half = chefer(build(name).to(dtype), images, texts, torch.zeros(4).long(), start_layer=0)
    assert half.dtype == torch.float32
    error = (half - exact).flatten(1).norm(dim=1) / exact.flatten(1).norm(dim=1)
    assert (error < (0.02 if dtype == torch.float16 else 0.15)).all()


def test_float64_models_stay_in_float64(build, images, texts):
    model = build("timm").double()
    got = chefer(model, images, texts, torch.full((4,), 2), start_layer=0)
    assert got.dtype == torch.float64
    expected = plain_map(model, "timm", images[1], texts, torch.eye(5)[2], 0)
    torch.testing.assert_close(got[1], expected, rtol=1e-9, atol=1e-12)


def test_the_logit_scale_scales_the_map(build, images, texts):
    model = build("native")
    plain = chefer(model, images, texts)
    model.logit_scale.data += torch.log(torch.tensor(2.0))
    torch.testing.assert_close(chefer(model, images, texts), 2 * plain)


@pytest.mark.parametrize("target", [torch.zeros(3).long(), torch.zeros(4, 6)])
def test_a_target_of_the_wrong_shape_is_refused(build, images, texts, target):
    with pytest.raises(ValueError, match="target"):
        chefer(build("native"), images, texts, target)


def test_a_tower_read_in_another_way_is_named(build, images, texts):
    with pytest.raises(UserError, match=r"VisionTransformer.*What works.*timm"):
        chefer(build("coca-cascade"), images, texts)


def test_a_text_tower_read_elsewhere_is_named(build, images, tokens):
    with pytest.raises(UserError, match=r"pool_type 'first'.*What works"):
        chefer_text(build("first"), images, tokens)
