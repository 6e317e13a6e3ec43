"""The store that proofs damage, fill and compare: a real run of few photos, tiny networks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mapcap.datasets.sample import sample_path

CLASSES = ("bird", "cow", "fruit", "tool")
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def make_photos(folder: Path, *, per_class: int = 4) -> Path:
    """Copy a few photos of the sample, and write one file that is no photo; return the folder."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for photo in sorted((sample_path() / name).glob("*.webp"))[:per_class]:
            shutil.copy(photo, folder / name)
    (folder / CLASSES[0] / "broken.webp").write_text("no picture")
    return folder


def index_command(photos: Path, store: Path, *more: str) -> list[str]:
    """Return the command that fills a store, with boxes, so that every table has rows."""
    boxes = sample_path() / "boxes.tsv"
    return [
        sys.executable, "-m", "mapcap", "index", str(photos), "--db", str(store),
        "--boxes", str(boxes), *more,
    ]  # fmt: skip


def index(photos: Path, store: Path, *more: str) -> None:
    """Fill a store; an error of the command is one of the proof."""
    subprocess.run(
        index_command(photos, store, *more),
        check=True,
        capture_output=True,
        env=os.environ | ENVIRONMENT,
    )
