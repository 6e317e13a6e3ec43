"""The built-in sample: ten classes of small pictures with boxes, under their own licence."""

import shutil
from pathlib import Path

from mapcap.errors import UserError

SAMPLE = "sample"
"""The word that stands for the built-in sample; a folder of that name is `./sample`."""
PICTURES = "*/*.webp"


def sample_path() -> Path:
    """Return the folder of the built-in sample: class folders, `boxes.tsv` and the notices."""
    return Path(__file__).parents[1] / "data" / "sample"


def copy_sample(out: Path) -> int:
    """Copy the sample's pictures, boxes and notices to `out` and return how many pictures.

    Raises UserError where `out` is a file, holds anything already, or cannot be written.
    """
    take_empty_folder(out)
    try:
        shutil.copytree(sample_path(), out, dirs_exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error
    return len(list(out.glob(PICTURES)))


def take_empty_folder(out: Path) -> None:
    """Make the folder `out` unless it is there.

    Raises UserError where `out` is a file, holds anything already, or cannot be made.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"--out {out} is not an empty folder: name a new or an empty one")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> UserError:
    return UserError(
        f"--out {out}: the sample cannot be written there ({error}): name another folder"
    )
