"""Loading causal language models through transformers."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from mapcap.errors import UserError
from mapcap.networks.activations import fuse_gelu
from mapcap.networks.devices import DTYPE
from mapcap.networks.embedded import MINI, embedded
from mapcap.networks.failures import describe
from mapcap.networks.half_linears import multiplies_bfloat16
from mapcap.networks.half_scoring import try_bfloat16
from mapcap.networks.hub import unreachable
from mapcap.networks.linears import use_onednn
from mapcap.networks.packed_rows import scores_packed_rows
from mapcap.networks.quiet import quiet
from mapcap.networks.weight_files import TOKENIZERS
from mapcap.networks.weights import fill, is_quantised, load_weights

_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model in eval mode, its tokenizer, and the token that starts a text."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    name: str
    bos_token_id: int
    packed: bool = True
    """Whether it scores packed sentences rightly (`pmi_matrix`)."""


def check_language_model(name: str) -> None:
    """Check from its configuration that a causal LM can be had; no weights are loaded.

    Raises:
        UserError: there is no such model or folder, or it is no language model.
    """
    folder = _folder(name)
    source = folder if folder.is_dir() else name
    reason = unreachable(name, ["config.json"]) if source == name else None
    if reason is not None:
        raise UserError(f"--lm {name}: could not be fetched ({reason}). {_advice()}")
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    except Exception as error:  # transformers and its downloader fail in many ways
        raise UserError(
            f"--lm {name}: could not be loaded ({describe(error)}). {_advice()}"
        ) from error
    models: Any = AutoModelForCausalLM
    if type(config) not in models._model_mapping:
        raise UserError(
            f"--lm {name}: a network of type {config.model_type} is no causal language model of "
            f"transformers. {_advice()}"
        )
    if folder.is_dir() and not any((folder / each).is_file() for each in TOKENIZERS):
        raise UserError(
            f"--lm {name}: the folder has no tokenizer ({', '.join(TOKENIZERS[:3])} ...). Copy it "
            "from where the model comes from: tokenizer.save_pretrained(FOLDER) writes it."
        )


def load_language_model(
    name: str, *, device: torch.device, dtype: torch.dtype | None = None
) -> LanguageModel:
    """Load a causal LM by hub name (`gpt2`), folder written by `save_pretrained`, or `mini`.

    A folder may hold int8 weights (`weights.save_int8`). Folders and `mini` need no network; code
    that comes with a model is never run.

    Raises:
        UserError: there is no such model or folder, or it cannot be read.
    """
    folder = _folder(name)
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
        raise UserError(
            f"--lm {name}: could not be loaded ({describe(error)}). {_advice()}"
        ) from error
    bos = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if bos is None:
        raise UserError(f"--lm {name}: its tokenizer has no token that starts a text. {_advice()}")
    model.to(device=device, dtype=dtype or DTYPE).eval().requires_grad_(False)
    fuse_gelu(model)
    use_onednn(model)
    return LanguageModel(model, tokenizer, name, bos)


def for_scoring(language_model: LanguageModel, half: torch.dtype | None = None) -> LanguageModel:
    """Return a language model that knows whether it scores packed sentences rightly.

    With bfloat16 as `half` its layers multiply in that, where the CPU does so in hardware and the
    PMI of a few sentences stays within half a hundredth.

    Raises:
        UserError: it cannot score sentences at all.
    """
    try:
        packed = scores_packed_rows(language_model.model, language_model.tokenizer)
    except Exception as error:  # other people's networks fail in any way there is
        raise UserError(
            f"--lm {language_model.name}: it could not score two sentences ({describe(error)}). "
            f"{_advice()}"
        ) from error
    if half is torch.bfloat16 and multiplies_bfloat16(language_model.model.device):
        try_bfloat16(language_model.model, language_model.tokenizer, packed)
    return replace(language_model, packed=packed)


def _folder(name: str) -> Path:
    """Return the folder that a name means, which need not exist if it may be the hub's name."""
    folder = embedded("lm") if name == MINI else Path(name).expanduser()
    if name != MINI and not folder.is_dir() and (name.startswith((".", "~", "/")) or "\\" in name):
        raise UserError(f"--lm {name}: there is no such folder. {_advice()}")
    return folder


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
