"""Put the trained parts together as the package ships them: int8 rows, files beside each other.

The CLIP folder is what open_clip's `local-dir:` reads: its own VisionTransformer, and MiniLM as a
Hugging Face text tower. The vision head's bias has no place there and goes into the last norm's.
"""

import argparse
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import load_file
from torch import Tensor

from mapcap.networks.weights import save_int8
from scripts.build_mini.places import Places

SIZE, PATCH, WIDTH, DEPTH = 140, 14, 384, 12
GRID = (SIZE // PATCH, SIZE // PATCH)
TRAINED_BLOCKS = 3
SHARES = (0.3, 0.3, 0.4)
"""How much each training cycle counts in their mean: names that no training saw do best after the
first, the others after a later one (weight averaging, Wortsman et al. 2022)."""
VISION: dict[str, Any] = {
    "image_size": SIZE,
    "patch_size": PATCH,
    "width": WIDTH,
    "layers": DEPTH,
    "head_width": 64,
    "mlp_ratio": 4.0,
    "ls_init_value": 1e-5,
    "no_ln_pre": True,
    "pool_type": "tok",
    "norm_kwargs": {"eps": 1e-6},
}
TEXT: dict[str, Any] = {
    # The folder itself, wherever the package is installed.
    "hf_model_name": ".",
    "hf_tokenizer_name": ".",
    "hf_pooler_type": "mean_pooler",
    "hf_proj_type": None,
    "context_length": 64,
}
PREPROCESS = {
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
    "interpolation": "bicubic",
}
_OF_THIS_MACHINE = frozenset(("backend", "is_local", "local_files_only"))
"""What transformers adds to a tokenizer's settings when it is saved."""
_TEXT_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
               "vocab.txt")  # fmt: skip


def vision_state(base: dict[str, Tensor], trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return open_clip's vision weights: the base with the trained blocks, norm and head.

    `trained` holds the modules in their order: blocks 9 to 11, norm, head (weight and bias).
    """
    state = dict(base)
    first = DEPTH - TRAINED_BLOCKS
    for name, tensor in trained.items():
        place, _, rest = name.partition(".")
        if int(place) < TRAINED_BLOCKS:
            state[f"transformer.resblocks.{first + int(place)}.{rest}"] = tensor
        elif int(place) == TRAINED_BLOCKS:
            state[f"ln_post.{rest}"] = tensor
    weight = trained[f"{TRAINED_BLOCKS + 1}.weight"].double()  # (D, width)
    bias = trained[f"{TRAINED_BLOCKS + 1}.bias"].double()  # (D,)
    shift = torch.linalg.lstsq(weight, bias[:, None]).solution[:, 0]
    state["ln_post.bias"] = state["ln_post.bias"] + shift.float()
    state["proj"] = weight.T.float().contiguous()
    return state


def averaged(states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Return the mean of the weights of like networks, each counted by its share."""
    first, *_ = states
    return {
        name: torch.stack(
            [share * state[name] for share, state in zip(shares, states, strict=True)]
        ).sum(0)
        for name in first
    }


def build_clip(out: Path, base: Path, cycles: Sequence[Path], minilm: Path) -> None:
    """Write the CLIP folder from the base weights and the training cycles."""
    out.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": {"embed_dim": WIDTH, "vision_cfg": VISION, "text_cfg": TEXT},
              "preprocess_cfg": PREPROCESS}  # fmt: skip
    (out / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name in _TEXT_FILES:
        shutil.copyfile(minilm / name, out / name)
    text = {**TEXT, "hf_model_name": str(out), "hf_model_pretrained": False}
    model = open_clip.create_model(
        f"local-dir:{out}", load_weights=False, pretrained_text=False, text_cfg=text
    )
    trained = [torch.load(path, weights_only=True) for path in cycles]
    mean = averaged([cycle["mods"] for cycle in trained], SHARES)
    model.visual.load_state_dict(vision_state(load_file(base), mean))
    words = load_file(minilm / "model.safetensors")
    kept = {name: tensor for name, tensor in words.items() if not name.startswith("pooler.")}
    found = model.text.transformer.load_state_dict(kept, strict=False)
    if any(not name.startswith("pooler.") for name in found.missing_keys):
        raise SystemExit(f"MiniLM lacks {found.missing_keys}")
    with torch.no_grad():
        model.logit_scale.fill_(min(trained[-1]["scale"], math.log(100)))
    save_int8(out / "open_clip_model.safetensors", model.state_dict())


def build_lm(out: Path, trained: Path) -> None:
    """Write the language model's folder."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(trained / name, out / name)
    tokenizer = json.loads((trained / "tokenizer_config.json").read_text(encoding="utf-8"))
    # What transformers 5 calls TokenizersBackend, 4 knows by its former name only; 5 knows both.
    tokenizer = {k: v for k, v in tokenizer.items() if k not in _OF_THIS_MACHINE}
    tokenizer["tokenizer_class"] = "PreTrainedTokenizerFast"
    text = json.dumps(tokenizer, indent=2)
    (out / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")
    save_int8(out / "model.safetensors", load_file(trained / "model.safetensors"))


def main() -> None:
    """Build mapcap/data/mini from a folder of trained parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the other steps")
    parser.add_argument("--minilm", type=Path, required=True, help="model folder of MiniLM")
    parser.add_argument("--out", type=Path, default=Path("mapcap/data/mini"))
    parser.add_argument("--refined", action="store_true", help="with the words of `refine`")
    given = parser.parse_args()
    work = given.work
    cycles = [work / f"cycle{number}.pt" for number in (1, 2, 3)]
    build_clip(given.out / "clip", work / "vit.safetensors", cycles, given.minilm)
    refined = Places(work).refined
    words, spoken = (refined, refined) if given.refined else (work / "lm", work)
    build_lm(given.out / "lm", words)
    mapper = torch.load(spoken / "clipcap.pt", weights_only=True)
    save_int8(given.out / "clipcap.safetensors", mapper)
    total = sum(file.stat().st_size for file in given.out.rglob("*") if file.is_file())
    print(f"{given.out}: {total / 2**20:.1f} MB")


if __name__ == "__main__":
    main()
