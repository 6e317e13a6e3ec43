"""A classifier's predictions and maps are its own, whatever library it is of."""

from typing import Any

import numpy as np
import pytest
import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig
from transformers import ViTForImageClassification as Vit

from mapcap.attention import exposed
from mapcap.classifiers.maps import classify
from mapcap.classifiers.records import Classifier
from mapcap.classifiers.timm_networks import wrap
from mapcap.errors import UserError

SIDE, CLASSES = 32, 5
PREPROCESS = {"size": (SIDE, SIDE), "scale": (36, 36), "resize_mode": "shortest"}
TRUE = torch.tensor([0, 1, 2, 3])


@pytest.fixture
def images() -> Tensor:
    return torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def vit(**options: Any) -> Any:
    torch.manual_seed(0)
    return VisionTransformer(
        img_size=SIDE, patch_size=8, embed_dim=32, depth=3, num_heads=4, num_classes=CLASSES,
        weight_init="", **options,
    ).eval()  # fmt: skip


def cut_resnet() -> Any:
    """A ResNet of two blocks with random weights."""
    torch.manual_seed(0)
    model: Any = timm.create_model("resnet18", num_classes=CLASSES)
    model.layer3, model.layer4 = nn.Identity(), nn.Identity()
    model.layer1, model.layer2 = model.layer1[:1], model.layer2[:1]
    model.num_features = 128
    model.fc = nn.Linear(128, CLASSES)
    return model.eval()


def run(classifier: Classifier, images: Tensor, **options: Any) -> Any:
    return classify(classifier, classifier.head, images, TRUE, "chefer", -1, **options)


@pytest.mark.parametrize("options", [{}, {"global_pool": "avg"}, {"reg_tokens": 2}])
def test_logits_of_a_vit_are_its_own_and_so_are_its_maps(
    images: Tensor, options: dict[str, Any]
) -> None:
    with torch.no_grad():
        expected = vit(**options)(images)
    found = run(wrap(vit(**options), None, PREPROCESS, "timm:vit"), images)
    np.testing.assert_allclose(found.logits, expected.numpy(), rtol=1e-4, atol=1e-5)
    assert found.predictions.top[:, 0].tolist() == expected.argmax(1).tolist()
    assert found.grids.shape == (len(found.maps.roles), 4, 4)
    assert (found.grids >= 0).all() and found.grids.any((1, 2)).all()


def test_a_map_of_a_vit_is_the_plain_computation_in_float64(images: Tensor) -> None:
    found = run(wrap(vit(), None, PREPROCESS, "timm:vit"), images)
    model = vit().double()
    for row, (image, role) in enumerate(zip(found.maps.images, found.maps.roles, strict=True)):
        with exposed(3, -1) as attention:
            logits = model(images[image : image + 1].double())[0]
        mine, best = int(TRUE[image]), int(logits.argmax())
        score = {
            "true": logits[mine],
            "predicted": logits[best],
            "contrast": logits[best] - logits[mine],
        }
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(score[role], attention[0])
        layer = (gradient * attention[0].detach()).clamp(min=0).mean(1)[0, 0, 1:]
        difference = np.abs(found.grids[row].ravel() - layer.numpy()).max()
        assert difference <= 1e-5 * float(layer.max())


def assert_grad_cam(found: Any, held: Tensor, logits: Tensor) -> None:
    """Maps of the true class are Grad-CAM's of the last stage's output, step by step."""
    (gradient,) = torch.autograd.grad(logits[range(4), TRUE].sum(), held)
    weights = gradient.mean((2, 3), keepdim=True)
    expected = (weights * held).sum(1).clamp(min=0).detach().numpy()
    assert expected.shape == (4, 4, 4)
    assert expected.any()
    mine = [row for row, role in enumerate(found.maps.roles) if role == "true"]
    np.testing.assert_allclose(found.grids[mine], expected, rtol=1e-3, atol=1e-6)


def test_a_resnet_is_explained_by_grad_cam(images: Tensor) -> None:
    """Against hooks on the last stage of the whole network."""
    model = cut_resnet()
    found = run(wrap(cut_resnet(), None, PREPROCESS, "timm:resnet18"), images)
    held: list[Tensor] = []
    model.layer2.register_forward_hook(lambda _m, _i, output: held.append(output))
    logits = model(images)
    np.testing.assert_allclose(found.logits, logits.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert_grad_cam(found, held[0], logits)


def test_channels_may_come_last(images: Tensor) -> None:
    """A Swin has (B, H, W, C) at its end."""
    torch.manual_seed(0)
    options: dict[str, Any] = {
        "img_size": SIDE,
        "window_size": 4,
        "embed_dim": 16,
        "depths": (1, 1),
    }
    model = timm.create_model(
        "swin_tiny_patch4_window7_224", num_classes=CLASSES, num_heads=(2, 2), **options
    ).eval()
    with torch.no_grad():
        expected = model(images).numpy()
    found = run(wrap(model, None, PREPROCESS, "timm:swin"), images)
    np.testing.assert_allclose(found.logits, expected, rtol=1e-4, atol=1e-5)
    assert found.grids.shape[1:] == (4, 4)


def test_networks_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(UserError, match="timm:x: its head is Identity"):
        headless = vit()
        headless.reset_classifier(0)
        wrap(headless, None, PREPROCESS, "timm:x")
    mixer = timm.create_model("mixer_s32_224", num_classes=CLASSES, img_size=SIDE)
    with pytest.raises(UserError, match="timm:mixer: relevance and pooling do not know"):
        wrap(mixer, None, PREPROCESS, "timm:mixer")


def test_transformers_classifiers(images: Tensor, tmp_path: Any) -> None:
    from transformers import ViTImageProcessor

    from mapcap.classifiers.kinds import check_classifier, load_classifier

    torch.manual_seed(0)
    labels = {index: f"thing {index}, it" for index in range(CLASSES)}
    made: list[Any] = [
        Vit(ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE,
                      intermediate_size=48, patch_size=8, id2label=labels)),
        ResNetForImageClassification(
            ResNetConfig(embedding_size=16, hidden_sizes=[16, 24], depths=[1, 1], id2label=labels)
        ),
    ]  # fmt: skip
    for place, model in enumerate(made):
        folder = tmp_path / str(place)
        model.eval().save_pretrained(folder)
        ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
        sketch = check_classifier(f"hf:{folder}")
        assert sketch.count == CLASSES
        assert sketch.names is not None and "thing 1" in sketch.names[1]
        classifier = load_classifier(f"hf:{folder}", torch.device("cpu"))
        assert (classifier.stage is None) == (place == 0)
        held: list[Tensor] = []
        if place == 1:
            last = model.resnet.encoder.stages[-1]
            last.register_forward_hook(lambda _m, _i, output, held=held: held.append(output))
        logits = model(images).logits
        found = run(classifier, images)
        np.testing.assert_allclose(found.logits, logits.detach().numpy(), rtol=1e-4, atol=1e-5)
        if held:
            assert_grad_cam(found, held[0], logits)
        else:
            assert found.grids.any((1, 2)).all()
        assert classifier.view(64, 32).resized == (SIDE, SIDE)
