"""Tiny real networks, a store counted by hand, and a run that the real job made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.indexing.start import index_photos
from mapcap.networks.clip import Clip
from tests.compute.conftest import FEATURES, build, images, texts
from tests.db.conftest import counted, engine, spec, store

__all__ = ["build", "counted", "engine", "images", "spec", "store", "texts"]


@pytest.fixture(autouse=True)
def far_from_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def as_clip(model: Any) -> Clip:
    """Wrap one of the tiny models, 32 x 32 pixels and 4 x 4 patches, as the loader does."""

    def tokenize(lines: list[str]) -> Tensor:
        """Give each text an id a character: 58 starts it, 59 ends it, 0 pads."""
        rows = [[58, *(1 + ord(char) % 50 for char in line[:7]), 59] for line in lines]
        return torch.tensor([[*row, *[0] * (9 - len(row))] for row in rows])

    return Clip(
        model=model,
        preprocess=lambda picture: torch.zeros(3, 32, 32),
        tokenizer=tokenize,
        name="tiny",
        pretrained=None,
        size=(32, 32),
        grid=(4, 4),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        resize_mode="shortest",
        embed_dim=FEATURES,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


@pytest.fixture
def clip(build: Callable[[str], Any]) -> Clip:
    return as_clip(build("custom-text"))


@pytest.fixture(scope="session")
def indexed(loaded_once: None, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of three photos and a broken file, indexed with the embedded networks."""
    db = tmp_path_factory.mktemp("indexed") / "photos.db"
    config = IndexConfig(photos=str(photos))
    assert index_photos(
        config, db, device="cpu", dtype="auto", batch_size=16, console=Console(quiet=True)
    )
    return db
