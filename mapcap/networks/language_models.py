"""Loading causal language models through transformers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from mapcap.errors import UserError
from mapcap.networks.devices import DTYPE
from mapcap.networks.embedded import MINI, embedded
from mapcap.networks.failures import said
from mapcap.networks.quiet import quiet
from mapcap.networks.weights import fill, is_quantised, load_weights

_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model in eval mode, its tokenizer, and the token that starts a text."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    name: str
    bos_token_id: int


def load_language_model(
    name: str, *, device: torch.device, dtype: torch.dtype | None = None
) -> LanguageModel:
    """Load a causal LM by hub name (`gpt2`), folder written by `save_pretrained`, or `mini`.

    A folder may hold int8 weights (`weights.save_int8`). Folders and `mini` need no network; code
    that comes with a model is never run.

    Raises:
        UserError: there is no such model or folder, or it cannot be read.
    """
    folder = embedded("lm") if name == MINI else Path(name).expanduser()
    if name != MINI and not folder.is_dir() and (name.startswith((".", "~", "/")) or "\\" in name):
        raise UserError(f"--lm {name}: there is no such folder. {_advice()}")
    try:
        if folder.is_dir():
            with quiet():
                model, tokenizer = _from_folder(folder)
        else:
            model = AutoModelForCausalLM.from_pretrained(name, trust_remote_code=False)
            tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except UserError:
        raise
    except Exception as error:  # transformers, its downloader and torch fail in many ways
        raise UserError(f"--lm {name}: could not be loaded ({said(error)}). {_advice()}") from error
    bos = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if bos is None:
        raise UserError(f"--lm {name}: its tokenizer has no token that starts a text. {_advice()}")
    model.to(device=device, dtype=dtype or DTYPE).eval().requires_grad_(False)
    return LanguageModel(model, tokenizer, name, bos)


def _from_folder(folder: Path) -> tuple[Any, Any]:
    offline = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, **offline)
    weights = folder / _WEIGHTS
    if not (weights.is_file() and is_quantised(weights)):
        return AutoModelForCausalLM.from_pretrained(folder, **offline), tokenizer
    config = AutoConfig.from_pretrained(folder, **offline)
    models: Any = AutoModelForCausalLM  # transformers leaves from_config untyped
    model = models.from_config(config, trust_remote_code=False)
    fill(model, load_weights(weights), weights)
    return model, tokenizer


def _advice() -> str:
    return (
        "Give a causal model's hub name (gpt2, gpt2-large; needs the network once), a folder "
        f"written by save_pretrained, or {MINI}."
    )
