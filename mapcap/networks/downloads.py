"""What a run needs of the model hub, and what of it is not on this machine yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import huggingface_hub
import open_clip

from mapcap.config import IndexConfig
from mapcap.networks.clip_names import HF_HUB, HUGGING_FACE, LOCAL_DIR, parted
from mapcap.networks.embedded import MINI
from mapcap.networks.hub import Unreachable, is_cached, size_of, unreachable
from mapcap.presets import PRESETS

_OPEN_CLIP: Final = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_WEIGHTS: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_TOKENIZER: Final = ("tokenizer.json", "tokenizer_config.json", "vocab.json")
_TEXTS: Final = ("*.json", "*.txt", "*.model", "*.jinja")
"""What transformers reads beside weights."""


@dataclass(frozen=True)
class Download:
    """Files of a hub's repository that a part of a run needs."""

    part: str
    """`model`, `captioner` or `lm`: the option, and the field of the configuration."""
    named: str
    """What the option says."""
    repository: str
    any_of: tuple[str, ...]
    """Files of which one is enough, and tells that the others are there as well."""
    patterns: tuple[str, ...]
    """What to fetch."""
    megabytes: float | None = None
    """Its size, about, where a preset says it."""
    configured: bool = False
    """Whether the configuration is among it by which the part is checked before it is loaded."""

    @property
    def option(self) -> str:
        """Return the option that asks for it."""
        return f"--{self.part} {self.named}"

    @property
    def command(self) -> str:
        """Return the command that fetches it, for the hub's client that is installed."""
        if not any("*" in pattern for pattern in self.patterns):
            return f"hf download {self.repository} {' '.join(self.patterns)}"
        quoted = [f"'{pattern}'" for pattern in self.patterns]
        # Before 1.0 the option took many values, and took its last occurrence alone.
        repeated = int(huggingface_hub.__version__.split(".")[0]) >= 1
        given = " --include ".join(quoted) if repeated else " ".join(quoted)
        return f"hf download {self.repository} --include {given}"

    @property
    def is_there(self) -> bool:
        """Tell whether it is on this machine."""
        return is_cached(self.repository, self.any_of)


@dataclass(frozen=True)
class Lacking:
    """A download that cannot be had now, and why."""

    download: Download
    reason: str


def downloads(config: IndexConfig) -> list[Download]:
    """Return what a run of this configuration takes from the hub, fetched already or not."""
    return [*_of_clip(config), *_of_captioner(config), *_of_language_model(config)]


def lacking(needed: Iterable[Download]) -> list[Lacking]:
    """Return what of this is neither on this machine nor to be had from the hub.

    The hub is asked for each repository once, and no more after it could not be reached at all.
    """
    missing: list[Lacking] = []
    silent: Unreachable | None = None
    for download in needed:
        if download.is_there:
            continue
        answer = silent or unreachable(download.repository, download.any_of)
        if answer is None:
            continue
        if answer.hub_is_silent:
            silent = answer
        missing.append(Lacking(download, answer))
    return missing


def describe_missing(download: Download) -> str:
    """Return what is missing, its size where it is known, and the command that fetches it."""
    size = download.megabytes
    about = "" if size is None else f", about {size:,.0f} MB"
    return f"{download.option} ({download.repository}{about}): {download.command}"


def megabytes_of(download: Download) -> float | None:
    """Return the size of a download: the hub's word if it answers, else a preset's."""
    known = size_of(download.repository, download.patterns)
    return download.megabytes if known is None else known


def _of_clip(config: IndexConfig) -> Iterator[Download]:
    fetched = _files_of_clip("model", config.model, config.model, config.pretrained, config)
    # What a file holds is not fetched; a tokenizer is.
    yield from (each for each in fetched if config.weights is None or each.any_of == _TOKENIZER)


def _files_of_clip(
    part: str, named: str, name: str, pretrained: str | None, config: IndexConfig
) -> Iterator[Download]:
    """Yield what a CLIP of open_clip's or transformers' takes from the hub."""
    size = _size(config, part)
    if name == MINI or name.startswith(LOCAL_DIR):
        return
    if name.startswith(HUGGING_FACE):
        place = name.removeprefix(HUGGING_FACE)
        if not _is_folder(place):
            patterns = ("*.safetensors", *_TEXTS)
            yield Download(part, named, place, _WEIGHTS, patterns, size, True)
        return
    if name.startswith(HF_HUB):
        repository = name.removeprefix(HF_HUB)
        patterns = ("*.safetensors", *_TEXTS)
        yield Download(part, named, repository, _OPEN_CLIP, patterns, size, True)
        return
    source = name.replace("/", "-")
    tag = open_clip.get_pretrained_cfg(source, pretrained or "") or {}
    repository, _, file = (tag.get("hf_hub") or "").rpartition("/")
    if repository:
        files = (file,) if file else _OPEN_CLIP
        yield Download(part, named, repository, files, files[:1], size)
    text = (open_clip.get_model_config(source) or {}).get("text_cfg", {})
    for key in ("hf_tokenizer_name", "hf_model_name"):
        if text.get(key) and not _is_folder(text[key]):
            yield Download(part, named, text[key], _TOKENIZER, ("*.json", "*.txt", "*.model"))
            return


def _of_captioner(config: IndexConfig) -> Iterator[Download]:
    kind, _, name = config.captioner.partition(":")
    size = _size(config, "captioner")
    if kind == "clipcap" and name.startswith(HF_HUB):
        repository, _, file = name.removeprefix(HF_HUB).rpartition("/")
        yield Download("captioner", config.captioner, repository, (file,), (file,), size)
    elif kind == "coca":
        yield from _files_of_clip("captioner", config.captioner, *parted(name), config)
    elif kind in ("blip", "vlm") and not _is_folder(name):
        patterns = ("*.safetensors", *_TEXTS)
        yield Download("captioner", config.captioner, name, _WEIGHTS, patterns, size, True)


def _of_language_model(config: IndexConfig) -> Iterator[Download]:
    if config.lm != MINI and not _is_folder(config.lm):
        patterns = ("*.safetensors", *_TEXTS)
        yield Download("lm", config.lm, config.lm, _WEIGHTS, patterns, _size(config, "lm"), True)


def _is_folder(name: str) -> bool:
    """Tell whether a name is of a folder, there or not, and none of the hub's."""
    is_path = name.startswith((".", "~", "/")) or "\\" in name
    return is_path or Path(name).expanduser().is_dir()


def _size(config: IndexConfig, part: str) -> float | None:
    """Return how many megabytes the presets say of what a part is."""
    for preset in PRESETS.values():
        same = getattr(preset, part) == getattr(config, part)
        if same and (part != "model" or preset.pretrained == config.pretrained):
            return preset.parts[("model", "captioner", "lm").index(part)].download
    return None
