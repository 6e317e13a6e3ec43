"""`--region-view` from the command to the captioner, and from one run of a file to the next."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import pytest
from PIL import Image

from mapcap.config import IndexConfig
from mapcap.datasets import read_image
from mapcap.networks.captioners import RegionBatch, registry
from mapcap.networks.captioners.base import Kind, Needs
from mapcap.networks.clipcap import Caption
from tests.calling import Result

pytestmark = pytest.mark.usefixtures("loaded_once")

Call = Callable[..., Result]
SEEN: Final = list[Sequence[Image.Image]]()


@dataclass(frozen=True)
class Seeing:
    """Says the same of everything, and keeps what it was shown."""

    needs: ClassVar[Needs] = "crops"
    batch_size: ClassVar[int] = 8
    shown: list[Sequence[Image.Image]] = field(default_factory=lambda: SEEN)

    def caption(self, batch: RegionBatch) -> list[Caption]:
        self.shown.append(batch.crops)
        return [Caption("a thing.", (1, 2), -1.0) for _ in batch.crops]


@pytest.fixture
def seeing(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(config: IndexConfig) -> None: ...

    kind = Kind("seeing", Seeing, check, lambda *_: Seeing())
    monkeypatch.setattr(registry, "KINDS", {**registry.KINDS, "seeing": kind})


@pytest.mark.usefixtures("seeing")
def test_each_view_has_captions_of_its_own(
    call: Call, photos: Path, db: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "photos.db"
    shutil.copy(db, copy)
    sizes = dict[str, set[tuple[int, int]]]()
    for view in ("crop", "blur", "box"):
        SEEN.clear()
        options = ("--captioner", "seeing", "--region-view", view, "--batch-size", "4")
        result = call("index", photos, "--db", copy, "--device", "cpu", *options, "--json")
        assert result.code == 0, result.err
        assert "taken over from run 1" in result.err
        assert "regions taken over" not in result.err
        assert result.json()["run"]["config"]["region_view"] == view
        # The first picture is the probe's noise.
        sizes[view] = {picture.size for crops in SEEN[1:] for picture in crops}
    loaded = [read_image(path).image for path in photos.rglob("*.webp")]
    whole = {image.size for image in loaded if image is not None}
    assert sizes["blur"] == sizes["box"] <= whole
    assert not sizes["crop"] <= whole
