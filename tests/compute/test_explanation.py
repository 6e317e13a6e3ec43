"""The pass against the public functions that it stands for, photo by photo."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from mapcap.explanation import Method, explain
from mapcap.regions import find_regions
from mapcap.relevance import ROLES, chefer, open_scene, relevance_maps
from mapcap.representations import REPRESENTATIONS, embed_regions, encode_images
from mapcap.zero_shot import class_logits, predict

TRUE = torch.tensor([0, 1, 2, 3])


def method(representation: str = "pooled", start_layer: int = -1) -> Method:
    return Method(representation, "mean", 3, 0.01, "chefer", start_layer)


@pytest.mark.parametrize("name", ["native", "quickgelu", "timm", "eva"])
@pytest.mark.parametrize("start_layer", [-1, 0])
def test_gives_what_the_public_functions_give(build, images, texts, name, start_layer):
    model = build(name)
    found = explain(model, images, texts, TRUE, method(start_layer=start_layer))
    features = encode_images(model, images)
    np.testing.assert_allclose(found.features, features.numpy(), rtol=1e-5, atol=1e-5)
    predictions = predict(class_logits(model, features, texts), TRUE)
    np.testing.assert_array_equal(found.predictions.top, predictions.top)
    np.testing.assert_allclose(found.predictions.margin, predictions.margin, atol=1e-4)
    wrong = np.flatnonzero(~predictions.correct)
    assert len(wrong) > 0, "an error is needed to try all roles"
    assert found.maps.images.tolist() == sorted([0, 1, 2, 3, *wrong, *wrong])

    predicted = torch.from_numpy(predictions.top[:, 0])
    contrast = torch.eye(len(texts))[predicted] - torch.eye(len(texts))[TRUE]
    targets = dict(zip(ROLES, (TRUE, predicted, contrast), strict=True))
    rows = zip(found.maps.images, found.maps.roles, found.maps.classes(), strict=True)
    expected_features = []
    for row, (image, role, target) in enumerate(rows):
        assert target == (TRUE if role == "true" else predicted)[image]
        one = images[image : image + 1]
        grid = relevance_maps(model, one, texts, [targets[role][image : image + 1]], start_layer)
        np.testing.assert_allclose(found.grids[row], grid[0][0].numpy(), rtol=1e-4, atol=1e-5)
        regions = find_regions(found.grids[row], (32, 32), "mean", 3, 0.01)
        assert [r.box for r in regions] == [r.box for r in found.regions[row]]
        expected_features.append(embed_regions(model, one, found.grids[row : row + 1], [regions]))
    np.testing.assert_allclose(
        found.region_features, torch.cat(expected_features).numpy(), rtol=1e-4, atol=1e-5
    )


def test_the_true_map_is_chefers(build, images, texts):
    model = build("native")
    found = explain(model, images, texts, TRUE, method())
    true = [row for row, role in enumerate(found.maps.roles) if role == "true"]
    expected = chefer(model, images, texts, TRUE).numpy()
    np.testing.assert_allclose(found.grids[true], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("representation", sorted(set(REPRESENTATIONS) - {"pooled"}))
def test_the_posters_pictures(build, images, texts, representation):
    model = build("native")
    found = explain(model, images, texts, TRUE, method(representation))
    expected = embed_regions(
        model, images[found.maps.images], found.grids, found.regions, representation
    )
    assert len(expected) == len(found.region_features) > 4
    np.testing.assert_allclose(found.region_features, expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["native", "timm", "eva"])
def test_the_tower_runs_once_and_stays_as_it_was(build, images, texts, name):
    """All blocks run once on all tokens but the last, which runs on the CLS token alone."""
    model = build(name)
    before = encode_images(model, images)
    tokens: list[int] = []
    blocks = model.visual.transformer.resblocks if name == "native" else model.visual.trunk.blocks
    for block in blocks:
        block.register_forward_hook(lambda _, args, __: tokens.append(args[0].shape[1]))
    with torch.inference_mode():
        explain(model, images, texts, TRUE, method())
    whole = [count for count in tokens if count > 1]
    assert len(whole) == len(blocks) - 1 and tokens.count(1) == 2
    assert all(parameter.grad is None for parameter in model.parameters())
    torch.testing.assert_close(encode_images(model, images), before)


def test_the_bias_of_a_model_counts_in_what_is_predicted(build, images, texts):
    model = build("native")
    plain = explain(model, images, texts, TRUE, method())
    model.logit_bias = torch.nn.Parameter(torch.tensor(-7.0))
    found = explain(model, images, normalize(texts, dim=-1), TRUE, method())
    np.testing.assert_allclose(
        found.predictions.top_logits, plain.predictions.top_logits - 7, atol=1e-4
    )
    np.testing.assert_allclose(found.grids, plain.grids, atol=1e-5)


@pytest.mark.parametrize("start_layer", [-1, 0])
def test_the_predicted_class_stands_for_one_that_is_not_known(build, images, texts, start_layer):
    model = build("native")
    best = predict(class_logits(model, encode_images(model, images), texts), TRUE).top[:, 0]
    told = explain(model, images, texts, torch.from_numpy(best), method(start_layer=start_layer))
    found = explain(model, images, texts, torch.full((4,), -1), method(start_layer=start_layer))
    assert found.maps.roles == ("true",) * 4
    assert found.maps.classes().tolist() == best.tolist()
    np.testing.assert_array_equal(found.grids, told.grids)


@pytest.mark.parametrize("name", ["native", "quickgelu", "timm", "eva"])
def test_half_precision_moves_results_by_rounding_alone(build, images, texts, name):
    model = build(name)
    whole = explain(model, images, texts, TRUE, method())
    half = explain(model, images, texts, TRUE, method(), torch.bfloat16)
    shift = np.linalg.norm(half.features - whole.features) / np.linalg.norm(whole.features)
    assert 1e-5 < shift < 0.05, "bfloat16 keeps 8 bits of each product"


@pytest.mark.parametrize("name", ["native", "timm"])
def test_from_the_last_attention_on_all_is_float32(build, images, texts, name):
    scene = open_scene(build(name), images, texts, torch.bfloat16)
    last = scene.last
    for part in (last.token, last.query, last.key, last.value, scene.leaf, scene.features):
        assert part.dtype == torch.float32
    (gradient,) = torch.autograd.grad(scene.cosines.sum(), scene.leaf)
    assert gradient.dtype == torch.float32
    # Not rounded to the eight bits of the tower: computed wide.
    assert not torch.equal(gradient, gradient.bfloat16().float())
    assert torch.equal(last.key, last.key.bfloat16().float())
