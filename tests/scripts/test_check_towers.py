"""`python -m scripts.check_towers` on one architecture of each family, and on one that differs."""

import json
from typing import Any

import pytest
import torch

from scripts.check_towers import measuring
from scripts.check_towers.__main__ import main
from scripts.check_towers.building import build, family_of
from scripts.check_towers.measuring import measure

READINGS = {
    "ViT-S-32": ("ViT", "token"),
    "EVA02-B-16": ("EVA", "token"),
    "MobileCLIP-B": ("MobileCLIP ViT", "token"),
    "ViT-B-32-SigLIP2-256": ("SigLIP", "pool"),
    "PE-Core-T-16-384": ("PE-Core", "pool"),
    "coca_ViT-B-32": ("CoCa", "pool"),
    "ViT-L-14-CLIPA": ("CLIPA", "mean"),
    "ViTamin-S": ("ViTamin", "mean"),
    "RN50": ("ResNet", "head"),
    "convnext_tiny": ("ConvNeXt", "head"),
    "MobileCLIP2-S0": ("FastViT", "head"),
}


@pytest.mark.parametrize("name", READINGS)
def test_a_family_is_read_as_an_independent_computation_reads_it(name: str) -> None:
    row = measure(name)
    assert row.passes, row
    assert (row.family, row.reading) == READINGS[name]
    # A class token is a key of the whole picture's feature, and of no region's.
    seen = name in ("ViT-S-32", "EVA02-B-16", "MobileCLIP-B", "PE-Core-T-16-384", "coca_ViT-B-32")
    assert row.patches is not None and (row.patches > 1e-4) == seen


def test_a_wrong_map_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def turned(*_: Any) -> list[torch.Tensor]:
        return [torch.rand(2, 4, 4)]

    monkeypatch.setattr(measuring, "relevance_maps", turned)
    assert main(["--model", "ViT-S-32", "ViT-B-32", "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["passes"] for row in rows] == [False, False]


def test_a_family_is_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--family", "timm swin"]) == 0, "it has no published weights"
    assert "0 of 1 architectures pass" in capsys.readouterr().out
    assert family_of("ViT-B-16-SigLIP2") == "SigLIP"
    assert build("ViT-S-32").visual.image_size == (128, 128)
