"""Folders of empty files: scanning opens none of them."""

from pathlib import Path

from mapcap.datasets import Dataset


def make(root: Path, *files: str) -> Path:
    """Create empty files below a folder; scanning opens none of them."""
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def relatives(dataset: Dataset) -> list[str]:
    return [item.relative for item in dataset.items]


def labels(dataset: Dataset) -> list[str]:
    return [found.label for found in dataset.classes]
