import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.assemble import PATCH, SIZE
from scripts.build_mini.convert import convert, position_embedding
from scripts.build_mini.vision import build_vit

WIDTH, LAYERS = 384, 12
CELLS = SIZE // PATCH


def published() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Random weights under the names of the ONNX file."""
    torch.manual_seed(0)
    patch = "backbone.embeddings.patch_embeddings.projection"
    named = {
        "onnx::Concat_1957": torch.randn(1, 1, WIDTH),
        "onnx::Reshape_1962": torch.randn(1, CELLS**2, WIDTH),
        "backbone.embeddings.cls_token": torch.randn(1, 1, WIDTH),
        f"{patch}.weight": torch.randn(WIDTH, 3, 14, 14) / 24,
        f"{patch}.bias": torch.randn(WIDTH),
        "backbone.layernorm.weight": torch.rand(WIDTH) + 0.5,
        "backbone.layernorm.bias": torch.randn(WIDTH),
    }
    linear = {}
    for layer in range(LAYERS):
        own = f"backbone.encoder.layer.{layer}"
        for name, out, into in (
            ("attention.attention.query", WIDTH, WIDTH),
            ("attention.attention.key", WIDTH, WIDTH),
            ("attention.attention.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("mlp.fc1", 4 * WIDTH, WIDTH),
            ("mlp.fc2", WIDTH, 4 * WIDTH),
        ):
            linear[f"{own}.{name}"] = torch.randn(out, into) / into**0.5
            named[f"{own}.{name}.bias"] = torch.randn(out) * 0.1
        for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"):
            named[f"{own}.{name}"] = torch.rand(WIDTH)
        for name in ("layer_scale1.lambda1", "layer_scale2.lambda1"):
            named[f"{own}.{name}"] = torch.rand(WIDTH)
    return named, linear


def dinov2(named: dict[str, Tensor], linear: dict[str, Tensor], image: Tensor) -> Tensor:
    """The published network on one picture (3, SIZE, SIZE), by its own names: CLS (W,)."""
    patch = "backbone.embeddings.patch_embeddings.projection"
    squares = image.unfold(1, 14, 14).unfold(2, 14, 14).permute(1, 2, 0, 3, 4)
    squares = squares.reshape(CELLS**2, -1)
    x = squares @ named[f"{patch}.weight"].reshape(WIDTH, -1).T + named[f"{patch}.bias"]
    x = torch.cat([named["backbone.embeddings.cls_token"][0], x])
    x = x + torch.cat([named["onnx::Concat_1957"][0], named["onnx::Reshape_1962"][0]])
    for layer in range(LAYERS):
        own = f"backbone.encoder.layer.{layer}"

        def apply(name: str, y: Tensor, own: str = own) -> Tensor:
            return y @ linear[f"{own}.{name}"].T + named[f"{own}.{name}.bias"]

        def norm(name: str, y: Tensor, own: str = own) -> Tensor:
            return F.layer_norm(
                y, (WIDTH,), named[f"{own}.{name}.weight"], named[f"{own}.{name}.bias"], 1e-6
            )

        normed = norm("norm1", x)
        q, k, v = (
            apply(f"attention.attention.{part}", normed).view(-1, 6, 64).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        context = ((q @ k.mT / 8).softmax(-1) @ v).transpose(0, 1).reshape(-1, WIDTH)
        dense = apply("attention.output.dense", context)
        x = x + named[f"{own}.layer_scale1.lambda1"] * dense
        hidden = F.gelu(apply("mlp.fc1", norm("norm2", x)))
        x = x + named[f"{own}.layer_scale2.lambda1"] * apply("mlp.fc2", hidden)
    weight, bias = named["backbone.layernorm.weight"], named["backbone.layernorm.bias"]
    return F.layer_norm(x[0], (WIDTH,), weight, bias, 1e-6)


def test_the_converted_network_computes_the_same(tmp_path: object) -> None:
    named, linear = published()
    path = f"{tmp_path}/vit.safetensors"
    save_file({name: each.contiguous() for name, each in convert(named, linear).items()}, path)
    image = torch.randn(3, SIZE, SIZE)
    with torch.no_grad():
        found = build_vit(path)(image[None])[0]  # type: ignore[arg-type]
    assert torch.allclose(found, dinov2(named, linear, image), atol=2e-3)


def test_positions_are_resized() -> None:
    ramp = torch.arange(16.0).view(4, 4) / 3
    down = ramp.T.reshape(16, 1)
    positions = torch.cat([ramp.reshape(16, 1), down], dim=1)
    found = position_embedding(torch.tensor([[7.0, 8.0]]), positions, 2)
    assert found[0].tolist() == [7.0, 8.0]
    across = found[1:, 0].view(2, 2)
    assert torch.allclose(across, found[1:, 1].view(2, 2).T)
    assert torch.allclose(across.mean(), ramp.mean())
    assert across[0, 0] < across[0, 1] < across[1, 0] < across[1, 1]
