"""What the weights behind a path are: a run goes on with those it began with, or not at all."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from mapcap.config import IndexConfig
from mapcap.datasets.content import hash_file
from mapcap.errors import UserError
from mapcap.networks.weight_files import SUFFIXES, places


def digests(config: IndexConfig) -> dict[str, str]:
    """Return the SHA-256 of the weights that lie behind paths, by option; hub names have none."""
    return {option: weights_digest(path) for option, path in places(config)}


def weights_digest(path: Path) -> str:
    """Return the SHA-256 of the weights in a file or a folder, in hex."""
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.suffix in SUFFIXES]
    return hashlib.sha256(b"".join(map(hash_file, sorted(files)))).hexdigest()


def check_digests(config: IndexConfig, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse to go on with a run that began with other weights behind the same paths.

    Raises:
        UserError: naming the option whose weights changed.
    """
    for option, path in places(config):
        if option in before and before[option] != now.get(option):
            raise UserError(
                f"{option} {path}: the weights there are not those that this run began with. "
                "Bring them back, or index into a new file."
            )
