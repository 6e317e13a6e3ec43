import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from mapcap.networks.weights import load_weights
from scripts.build_mini import assemble
from scripts.build_mini.assemble import DEPTH, averaged, vision_state
from scripts.build_mini.places import Places
from scripts.build_mini.vision import End, tokens_before_end


def test_the_heads_bias_is_folded_into_the_norm(
    make_vit: Callable[[int], Any], images: Tensor
) -> None:
    vit = make_vit(DEPTH)
    base = {name: tensor.clone() for name, tensor in vit.state_dict().items()}
    end = End(vit)
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in end.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    with torch.no_grad():
        expected = end(tokens_before_end(vit, images))
    assembled = make_vit(DEPTH)
    assembled.load_state_dict(vision_state(base, end.state_dict()))
    with torch.no_grad():
        found = assembled(images)
    assert end.head.bias.abs().max() > 0.05
    assert torch.allclose(found, expected, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("refined", [False, True], ids=["words", "refined"])
def test_it_takes_the_captioner_that_is_asked_for(
    refined: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, out = Places(tmp_path / "work"), tmp_path / "mini"
    trained = (
        (places.language_model, places.mapper, 1.0),
        (places.refined, places.refined / places.mapper.name, 2.0),
    )
    for folder, mapper, value in trained:  # both are there in the second turn
        folder.mkdir()
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            (folder / name).write_text(json.dumps({"value": value}))
        save_file({"wte": torch.full((2, 3), value)}, folder / "model.safetensors")
        torch.save({"clip_project.weight": torch.full((2, 3), value)}, mapper)
    monkeypatch.setattr(assemble, "build_clip", lambda *paths: None)
    arguments = ["--work", str(places.work), "--minilm", "none", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["assemble", *arguments, *["--refined"] * refined])
    assemble.main()
    value = 2.0 if refined else 1.0
    for file in (out / "lm" / "model.safetensors", out / "clipcap.safetensors"):
        (tensor,) = load_weights(file).values()
        assert torch.allclose(tensor, torch.full((2, 3), value))
    assert json.loads((out / "lm" / "config.json").read_text()) == {"value": value}


def test_each_of_like_networks_counts_by_its_share() -> None:
    states = [{"a": torch.tensor([1.0, 4.0])}, {"a": torch.tensor([5.0, 0.0])}]
    assert averaged(states, [0.25, 0.75])["a"].tolist() == [4.0, 1.0]
    with pytest.raises(ValueError, match="zip"):
        averaged(states, [1.0])
