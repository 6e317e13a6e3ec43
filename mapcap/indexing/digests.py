"""What the weights behind a path are: a run goes on with those it began with, or not at all."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.clip_names import LOCAL_DIR
from mapcap.networks.embedded import MINI

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


def digests(config: IndexConfig) -> dict[str, str]:
    """Return the SHA-256 of the weights that lie behind paths, by option; hub names have none."""
    return {option: _digest(path) for option, path in _places(config)}


def check_digests(config: IndexConfig, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse to go on with a run that began with other weights behind the same paths.

    Raises:
        UserError: naming the option whose weights changed.
    """
    for option, path in _places(config):
        if option in before and before[option] != now.get(option):
            raise UserError(
                f"{option} {path}: the weights there are not those that this run began with. "
                "Bring them back, or index into a new file."
            )


def _places(config: IndexConfig) -> Iterator[tuple[str, Path]]:
    """Yield the files and folders that hold weights of a run, each with the option naming it."""
    given = config.captioner.partition(":")[2]
    hugging_face = (config.classifier or "").startswith("hf:")
    named = (
        ("--model", config.model.startswith(LOCAL_DIR), config.model.removeprefix(LOCAL_DIR)),
        ("--pretrained", config.pretrained is not None, config.pretrained or ""),
        ("--weights", config.weights is not None, config.weights or ""),
        ("--captioner", bool(given), given),
        ("--classifier", hugging_face, (config.classifier or "").removeprefix("hf:")),
        ("--lm", config.lm != MINI, config.lm),
    )
    for option, may_be_path, text in named:
        path = Path(text).expanduser()
        if may_be_path and path.exists():
            yield option, path


def _digest(path: Path) -> str:
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.suffix in _WEIGHTS]
    whole = hashlib.sha256()
    for file in sorted(files):
        with file.open("rb") as opened:
            whole.update(hashlib.file_digest(opened, "sha256").digest())
    return whole.hexdigest()
