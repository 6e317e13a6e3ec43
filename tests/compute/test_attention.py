"""The interception: right probabilities, right kernel, and a model left as it was."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapcap.attention import Interception, exposed, softmax_attention, weigh
from mapcap.errors import UserError

TOWERS = ["native", "timm", "eva"]


def tap(model: Any, images: Tensor, start_layer: int) -> list[Tensor]:
    with exposed(3, start_layer) as attention:
        model.encode_image(images)
    return attention


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    return weigh(softmax_attention(q, k, mask, scale), v)


def state_of(model: nn.Module) -> list[object]:
    """Everything of a model that a patch could leave something in."""
    return [
        (
            name,
            module.training,
            sorted(vars(module)),
            len(module._forward_hooks),
            len(module._forward_pre_hooks),
            len(module._backward_hooks),
            module.forward.__func__,
            [(p.requires_grad, p.grad is None) for p in module.parameters(recurse=False)],
        )
        for name, module in model.named_modules()
    ]


@pytest.mark.parametrize("name", TOWERS)
@pytest.mark.parametrize(("start_layer", "count"), [(-1, 1), (-3, 3), (0, 3), (1, 2), (2, 1)])
def test_layers_from_the_start_layer_on(build, images, name, start_layer, count):
    attention = tap(build(name), images, start_layer)
    tokens = 19 if name == "timm" else 17
    assert [tuple(a.shape) for a in attention] == [(4, 4, tokens, tokens)] * count
    for a in attention:
        torch.testing.assert_close(a.sum(-1), torch.ones(4, 4, tokens))
        assert a.requires_grad
    assert attention[0].is_leaf  # nothing below it is in the graph


def test_text_attention_is_after_the_causal_mask(build, tokens):
    model = build("native")
    with exposed(3, 0) as attention:
        model.encode_text(tokens)
    for a in attention:
        assert (a.triu(1) == 0).all()
        torch.testing.assert_close(a.sum(-1), torch.ones(4, 2, 9))


def test_hugging_face_attention_is_after_the_padding_mask(build, tokens):
    model = build("bert")
    with exposed(3, 0) as attention:
        model.encode_text(tokens)
    for a in attention:
        assert (a[1, :, :, 3:] == 0).all()  # the second text has three tokens
        assert (a[2] > 0).all()


def test_no_graph_below_the_start_layer(build, images):
    model = build("native")
    needs_graph = []
    for block in model.visual.transformer.resblocks:
        block.ln_1.register_forward_hook(
            lambda module, args, output: needs_graph.append(args[0].requires_grad)
        )
    tap(model, images, 1)
    assert needs_graph == [False, False, True]


@pytest.mark.parametrize("name", [*TOWERS, "quickgelu", "bert"])
@pytest.mark.parametrize("start_layer", [-1, 0])
def test_the_output_is_the_models_own(build, images, tokens, name, start_layer):
    model = build(name)
    run: Callable[[], Tensor] = (
        (lambda: model.encode_text(tokens))
        if name == "bert"
        else lambda: model.encode_image(images)
    )
    expected = run()
    with exposed(3, start_layer):
        got = run()
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("name", TOWERS)
def test_the_model_is_left_as_it_was(build, images, name):
    model = build(name)
    before, weights = state_of(model), copy.deepcopy(model.state_dict())
    output = model.encode_image(images)
    tap(model, images, 0)
    with pytest.raises(RuntimeError, match="channels"), exposed(3, 0):
        model.encode_image(images[:, :1])  # fails before the attention
    with pytest.raises(KeyError), exposed(3, 0):
        model.encode_image(images)
        raise KeyError
    assert state_of(model) == before
    assert torch.is_grad_enabled()
    torch.testing.assert_close(dict(model.state_dict()), dict(weights), rtol=0, atol=0)
    torch.testing.assert_close(model.encode_image(images), output, rtol=0, atol=0)


def test_another_thread_does_not_notice(build, images):
    model = build("timm")
    with torch.no_grad(), exposed(3, 0) as attention:
        thread = threading.Thread(target=model.encode_image, args=(images,))
        thread.start()
        thread.join()
        assert attention == []
        model.encode_image(images)
    assert len(attention) == 3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": torch.rand(2, 1, 5, 5) > 0.3},
        {"attn_mask": torch.randn(5, 5)},
    ],
    ids=["plain", "scale", "causal", "bool", "additive"],
)
def test_dot_product_attention_keeps_its_meaning(options):
    mask = options.get("attn_mask")
    if mask is not None and mask.dtype == torch.bool:
        mask[..., 0] = True  # every query may look at something
    q, k, v = torch.randn(3, 2, 4, 5, 8)
    expected = F.scaled_dot_product_attention(q, k, v, **options)
    with Interception(attend) as interception:
        got = F.scaled_dot_product_attention(q, k, v, **options)
    assert interception.calls == 1
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("per_head_mask", [True, False])
def test_multi_head_attention_keeps_its_meaning(bias, per_head_mask):
    module = nn.MultiheadAttention(16, 4, bias=bias, batch_first=True).eval()
    x = torch.randn(3, 6, 16)
    mask = torch.randn(12, 6, 6) if per_head_mask else torch.randn(6, 6)
    expected, _ = module(x, x, x, need_weights=False, attn_mask=mask)
    with Interception(attend) as interception:
        got, _ = module(x, x, x, need_weights=False, attn_mask=mask)
    assert interception.calls == 1
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("start_layer", [3, -4, 12])
def test_a_start_layer_outside_the_network_is_refused(build, images, start_layer):
    with pytest.raises(UserError, match=r"start layer .* 3 attention layers.*-3 to 2"):
        tap(build("native"), images, start_layer)


def test_attention_that_cannot_be_seen_is_said_so(build, images):
    model = build("timm")
    for block in model.visual.trunk.blocks:
        block.attn.fused_attn = False  # what TIMM_FUSED_ATTN=0 does
    with pytest.raises(UserError, match=r"0 of the network's 3 .*TIMM_FUSED_ATTN"):
        tap(model, images, -1)
