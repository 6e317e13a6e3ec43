"""Class weights and predictions against loops."""

import math

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor
from torch.nn.functional import normalize

from mapcap.errors import UserError
from mapcap.representations import encode_images
from mapcap.zero_shot import class_logits, class_weights, openai_templates, predict


class Letters:
    """A tokenizer of letters, which remembers the size of its batches and all its texts."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.texts: list[str] = []

    def __call__(self, texts: list[str]) -> Tensor:
        self.batches.append(len(texts))
        self.texts += texts
        rows = [[58, *(1 + ord(c) % 57 for c in text[:7]), 59] for text in texts]
        return torch.tensor([row + [0] * (9 - len(row)) for row in rows])


@pytest.mark.parametrize("name", ["native", "bert"])
def test_class_weights_equal_the_plain_computation(build, name):
    model, tokenizer = build(name), Letters()
    names, templates = ["cat", "dog", "{}"], ["{}", "a {}", "{} b"]
    weights = class_weights(model, tokenizer, names, templates, batch_size=4)
    assert tokenizer.batches == [4, 4, 1]
    assert tokenizer.texts[:4] == ["cat", "a cat", "cat b", "dog"]
    assert not weights.requires_grad
    for name_, row in zip(names, weights, strict=True):
        total = torch.zeros(24)
        for template in templates:
            feature = model.encode_text(Letters()([template.replace("{}", name_)]))[0]
            total += feature / feature.norm()
        torch.testing.assert_close(row, total / total.norm())


def test_the_default_template_is_the_bare_name(build):
    tokenizer = Letters()
    class_weights(build("native"), tokenizer, ["cat", "dog"])
    assert tokenizer.texts == ["cat", "dog"]


def test_openai_templates_are_open_clips():
    templates = openai_templates()
    assert len(templates) == 80
    assert templates[0].replace("{}", "cat") == open_clip.OPENAI_IMAGENET_TEMPLATES[0]("cat")
    assert all(template.count("{}") == 1 for template in templates)


@pytest.mark.parametrize(
    ("names", "templates", "message"),
    [(["cat"], ["a photo"], "a photo.*add it"), ([], ["{}"], "class name"), (["cat"], [], "class")],
)
def test_unusable_templates_and_names(build, names, templates, message):
    with pytest.raises(UserError, match=message):
        class_weights(build("native"), Letters(), names, templates)


def test_logits_are_scaled_cosines_and_the_bias(build, images, texts):
    model = build("native")
    features = encode_images(model, images)
    got = class_logits(model, features, texts)
    for b in range(4):
        for k in range(5):
            cosine = float(features[b] @ texts[k] / features[b].norm() / texts[k].norm())
            assert got[b, k].item() == pytest.approx(
                math.exp(model.logit_scale.item()) * cosine, abs=1e-4
            )
    torch.testing.assert_close(class_logits(model, normalize(features, dim=-1), texts), got)
    assert not got.requires_grad
    model.logit_bias = torch.nn.Parameter(torch.tensor(-10.0))
    torch.testing.assert_close(class_logits(model, features, texts), got - 10)


def test_half_precision_features_give_float32_logits(build, images, texts):
    model = build("native")
    features = model.encode_image(images)
    got = class_logits(model.to(torch.bfloat16), features.bfloat16(), texts)
    assert got.dtype == torch.float32
    torch.testing.assert_close(
        got, class_logits(build("native"), features, texts), atol=0.3, rtol=0
    )


@settings(deadline=None)
@given(st.data())
def test_predictions_equal_the_plain_computation(data):
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 8)))
    # Few distinct values, so that ties are common.
    logits = data.draw(arrays(np.float32, shape, elements=st.integers(-3, 3).map(float)))
    targets = data.draw(arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))
    got = predict(torch.from_numpy(logits), torch.from_numpy(targets))
    for b, (row, true) in enumerate(zip(logits.tolist(), targets.tolist(), strict=True)):
        order = sorted(range(shape[1]), key=lambda k: (-row[k], k))
        total = sum(math.exp(value) for value in row)
        assert got.top[b].tolist() == order[:5]
        assert got.top_logits[b].tolist() == [row[k] for k in order[:5]]
        expected = [math.exp(row[k]) / total for k in order[:5]]
        np.testing.assert_allclose(got.top_probabilities[b], expected, rtol=1e-5)
        assert got.true_probability[b] == pytest.approx(math.exp(row[true]) / total, rel=1e-5)
        assert got.true_rank[b] == order.index(true) + 1
        others = [value for k, value in enumerate(row) if k != true]
        assert got.margin[b] == (row[true] - max(others) if others else 0)
        assert bool(got.correct[b]) == (order[0] == true)


def test_a_tie_goes_to_the_class_listed_first():
    got = predict(torch.tensor([[1.0, 1.0], [1.0, 1.0]]), torch.tensor([0, 1]))
    assert got.correct.tolist() == [True, False]
    assert got.true_rank.tolist() == [1, 2]
    assert got.margin.tolist() == [0, 0]


def test_one_class_is_always_right():
    got = predict(torch.tensor([[-3.0], [2.0]]), torch.tensor([0, 0]))
    assert got.top.tolist() == [[0], [0]]
    assert got.true_probability.tolist() == [1, 1]
    assert got.correct.all()
    assert np.isfinite(got.margin).all()
