"""`mini` and `clipcap:FILE`: captions of features by a prefix network and the GPT-2 it brings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, cast

import torch
from huggingface_hub import hf_hub_download
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.activations import fuse_gelu
from mapcap.networks.captioners.base import (
    Captioner,
    Kind,
    Needs,
    RegionBatch,
    argument,
    features_of,
)
from mapcap.networks.captioners.origins import BY_NAME, Origin, origin
from mapcap.networks.captioners.reranked import RerankedCaptioner
from mapcap.networks.clip import Clip
from mapcap.networks.clip_names import identity, parted
from mapcap.networks.clipcap import Caption, ClipCap, Method
from mapcap.networks.devices import DTYPE
from mapcap.networks.embedded import MINI, embedded
from mapcap.networks.failures import describe
from mapcap.networks.hub import unreachable
from mapcap.networks.language_models import load_language_model
from mapcap.networks.linears import use_onednn
from mapcap.networks.weights import Outline, outline

_HUB: Final = "hf-hub:"
_GPT: Final = "gpt."
_BLOCK: Final = "gpt.transformer.h."
_HEAD_WIDTH: Final = 64
"""Of every published GPT-2: the one size that its tensors do not show."""
_EMBEDDINGS: Final = "gpt.transformer.wte.weight"
_TOKENIZER: Final = "gpt2"
_FULL_STOP: Final = 13
"""In GPT-2's vocabulary, of which the end of a text is the last."""


@dataclass(frozen=True)
class ClipCapCaptioner:
    """Captions features; `method` is how tokens are chosen."""

    clipcap: ClipCap
    method: Method = "greedy"
    needs: ClassVar[Needs] = "features"
    batch_size: ClassVar[int] = 256

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' features, in order.

        Raises:
            ValueError: the batch has no features.
        """
        return self.clipcap.generate(features_of(batch), method=self.method)


def _check(config: IndexConfig) -> None:
    name = argument(config)
    published = BY_NAME.get(name.removeprefix(_HUB))
    if published is not None:
        _require_same_clip(config, published)
    if not name.startswith(_HUB):
        path = Path(name).expanduser()
        _checked_origin(config, path, outline(path))


def _check_mini(config: IndexConfig) -> None:
    embedded("clipcap.safetensors")
    _require_same_clip(config, BY_NAME[MINI])


def _load(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    path = _file(config)
    outlined = outline(path)
    made = _checked_origin(config, path, outlined)
    model, tokenizer = _decoder(config, outlined, made)
    clipcap = ClipCap.from_checkpoint(
        path, language_model=model, tokenizer=tokenizer, normalise=made.normalise
    )
    return _captioner(config, clipcap.to(device, DTYPE), clip)


def _load_mini(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    decoder = load_language_model(MINI, device=device)
    return _captioner(
        config,
        ClipCap.from_checkpoint(
            embedded("clipcap.safetensors"),
            language_model=decoder.model,
            tokenizer=decoder.tokenizer,
        ),
        clip,
    )


def _captioner(config: IndexConfig, clipcap: ClipCap, clip: Clip) -> Captioner:
    use_onednn(clipcap.language_model)
    if config.decoding == "rerank":
        return RerankedCaptioner(clipcap, clip)
    # What it may be, the configuration has checked.
    return ClipCapCaptioner(clipcap, cast("Method", config.decoding))


def _file(config: IndexConfig) -> Path:
    name = argument(config)
    if not name.startswith(_HUB):
        return Path(name).expanduser()
    repository, _, file = name.removeprefix(_HUB).rpartition("/")
    try:
        return Path(hf_hub_download(repository, file))
    except Exception as error:  # the downloader fails in many ways
        raise _not_fetched(config, describe(error)) from error


def _not_fetched(config: IndexConfig, reason: str) -> UserError:
    return UserError(
        f"--captioner {config.captioner}: could not be fetched ({reason}). Without a network, get "
        "the file elsewhere and give clipcap:FILE; phrases needs none."
    )


def _checked_origin(config: IndexConfig, path: Path, outlined: Outline) -> Origin:
    """Return what a file was trained with, which must be the run's CLIP."""
    made = origin(outlined)
    if made is None:
        clip = identity(config.model, config.pretrained)
        raise UserError(
            f"--captioner {config.captioner}: the file does not say which CLIP it was made for, "
            f"and with another its captions mean nothing. If it was made for {clip}, write that "
            "beside its weights: python -c 'import torch; torch.save({"
            f'"clip": "{clip}", "state_dict": torch.load("{path}", weights_only=True)}}, '
            '"noted.pt")\', and give that file. Or take --captioner phrases.'
        )
    _require_same_clip(config, made)
    return made


def _require_same_clip(config: IndexConfig, made: Origin) -> None:
    clip = identity(config.model, config.pretrained)
    if made.clip == clip:
        return
    model, tag = parted(made.clip)
    asked = f"--model {model}" + (f" --pretrained {tag}" if tag else "")
    raise UserError(
        f"--captioner {config.captioner} reads the features of {made.clip}, and this run's CLIP is "
        f"{clip}. Give {asked}, or a captioner that works with every CLIP: --captioner phrases, "
        "blip:NAME, coca:NAME or vlm:NAME."
    )


def _decoder(
    config: IndexConfig, shapes: Outline, made: Origin
) -> tuple[PreTrainedModel, Tokenizer]:
    """Return the language model that a file speaks with, its own weights not loaded yet."""
    if made.decoder is not None:
        try:
            decoder = load_language_model(made.decoder, device=torch.device("cpu"))
        except UserError as error:
            raise UserError(
                f"--captioner {config.captioner}: its decoder {made.decoder} could not be loaded. "
                f"{error}"
            ) from error
        return decoder.model, decoder.tokenizer
    if not any(name.startswith(_BLOCK) for name in shapes.shapes):
        raise UserError(
            f"--captioner {config.captioner}: the file holds no language model ({_GPT}*) and does "
            "not name one. Give a published ClipCap file, or add the note "
            '"decoder": "HUB NAME OR FOLDER" beside its state_dict.'
        )
    return _gpt2(shapes), _tokenizer(config, shapes)


def _tokenizer(config: IndexConfig, outlined: Outline) -> Tokenizer:
    """Return GPT-2's tokenizer: that of a folder of GPT-2 that `--lm` names, else the hub's."""
    folder = Path(config.lm).expanduser()
    if folder.is_dir():
        own: Any = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        vocabulary = outlined.shapes[_EMBEDDINGS][0]
        if own.eos_token_id == vocabulary - 1 and own.encode(".") == [_FULL_STOP]:
            return own  # type: ignore[no-any-return]
    reason = unreachable(_TOKENIZER, ["tokenizer.json"])
    if reason is not None:
        raise UserError(
            f"--captioner {config.captioner}: GPT-2's tokenizer could not be fetched ({reason}). "
            "Without a network, give --lm a folder of GPT-2, or add the note "
            '"decoder": "FOLDER OF GPT-2" beside its state_dict.'
        )
    return AutoTokenizer.from_pretrained(_TOKENIZER)


def _gpt2(outlined: Outline) -> GPT2LMHeadModel:
    """Build a GPT-2 of the shapes of a file's `gpt.*`."""
    shapes = outlined.shapes
    vocabulary, width = shapes[_EMBEDDINGS]
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=shapes["gpt.transformer.wpe.weight"][0],
        n_embd=width,
        n_layer=len({name.split(".")[3] for name in shapes if name.startswith(_BLOCK)}),
        n_head=max(1, width // _HEAD_WIDTH),
        n_inner=shapes[f"{_BLOCK}0.mlp.c_fc.weight"][1],
    )
    model = GPT2LMHeadModel(config)
    fuse_gelu(model)
    return model


KIND: Final = Kind("clipcap:FILE or clipcap:hf-hub:REPO/FILE", ClipCapCaptioner, _check, _load)
MINI_KIND: Final = Kind(MINI, ClipCapCaptioner, _check_mini, _load_mini)
