"""What `mapcap presets` says is what a run with that preset would take."""

import json

import pytest

from mapcap.commands.presets import presets
from mapcap.config import IndexConfig
from mapcap.networks.embedded import embedded
from mapcap.presets import PRESETS, with_preset


def test_every_preset_is_listed_with_sizes_licences_and_purpose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    presets()
    shown = capsys.readouterr().out
    for name, preset in PRESETS.items():
        assert f"{name}: {preset.purpose}" in shown
        assert all(part.what in shown and part.licence in shown for part in preset.parts)
    assert "11.2 GB" in shown and "none" in shown  # strong in memory, mini's download


def test_json_holds_the_networks_that_a_run_takes(capsys: pytest.CaptureFixture[str]) -> None:
    presets(json=True)
    listed = json.loads(capsys.readouterr().out)
    assert set(listed) == set(PRESETS)
    for name, values in listed.items():
        config = with_preset(IndexConfig(photos=""), name)
        assert [values[key] for key in ("model", "pretrained", "captioner", "lm")] == [
            config.model, config.pretrained, config.captioner, config.lm,
        ]  # fmt: skip
        assert values["megabytes"] == pytest.approx(
            sum(part["width"] * part["millions"] for part in values["parts"])
        )
        # Vision-language networks are in bfloat16 on a GPU, and all else is in float32.
        assert [part["width"] for part in values["parts"]] == [
            4, 2 if values["captioner"].startswith("vlm:") else 4, 4,
        ]  # fmt: skip
    assert listed["mini"]["download"] == 0 < listed["poster"]["download"]


def test_the_embedded_networks_weigh_what_is_said() -> None:
    """Stored in a byte a weight, but for the rows' scales and what has one dimension."""
    clip, _, lm = PRESETS["mini"].parts
    stored = embedded("clip/open_clip_model.safetensors").stat().st_size / 1e6
    assert clip.millions <= stored <= 1.05 * clip.millions
    stored = embedded("lm/model.safetensors").stat().st_size / 1e6
    assert lm.millions <= stored <= 1.1 * lm.millions
