import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel
from transformers.activations import NewGELUActivation

from mapcap.errors import UserError
from mapcap.networks import embedded
from mapcap.networks.language_models import load_language_model
from mapcap.networks.weights import load_weights

CPU = torch.device("cpu")


def test_a_folder_of_save_pretrained_loads(lm_folder: Path) -> None:
    lm = load_language_model(str(lm_folder), device=CPU)
    assert lm.tokenizer.decode([lm.bos_token_id]) == "<|endoftext|>"
    assert not lm.model.training
    assert not any(p.requires_grad for p in lm.model.parameters())
    assert lm.model.dtype == torch.float32
    weights = load_weights(lm_folder / "model.safetensors")
    assert torch.equal(
        lm.model.state_dict()["transformer.wpe.weight"], weights["transformer.wpe.weight"]
    )


def test_gelu_is_one_kernel_and_gives_the_same(lm_folder: Path) -> None:
    plain: Any = GPT2LMHeadModel.from_pretrained(lm_folder).eval()
    loaded = load_language_model(str(lm_folder), device=CPU).model
    kinds = [
        {type(module) for module in each.modules()} & {NewGELUActivation}
        for each in (plain, loaded)
    ]
    assert kinds == [{NewGELUActivation}, set()]
    ids = torch.arange(12)[None]
    with torch.inference_mode():
        torch.testing.assert_close(loaded(ids).logits, plain(ids).logits, rtol=0, atol=1e-5)


def test_int8_weights_are_widened_and_the_output_matrix_is_tied(
    lm_folder: Path, int8_lm_folder: Path
) -> None:
    exact = load_language_model(str(lm_folder), device=CPU).model
    rounded = load_language_model(str(int8_lm_folder), device=CPU).model
    own, widened = rounded.state_dict(), load_weights(int8_lm_folder / "model.safetensors")
    assert all(torch.equal(own[name], tensor) for name, tensor in widened.items())
    assert own["lm_head.weight"].data_ptr() == own["transformer.wte.weight"].data_ptr()
    ids = torch.arange(12)[None]
    with torch.inference_mode():
        difference = (exact(ids).logits - rounded(ids).logits).abs().max()
        assert difference < 0.3 * exact(ids).logits.std()
        assert difference > 0


def test_the_embedded_language_model_needs_no_network(
    int8_lm_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reached: list[Any]
) -> None:
    shutil.copytree(int8_lm_folder, tmp_path / "mini" / "lm")
    monkeypatch.setattr(embedded, "ROOT", tmp_path / "mini")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert load_language_model("mini", device=CPU).name == "mini"
    assert reached == []


def test_loading_is_silent(int8_lm_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_language_model(str(int8_lm_folder), device=CPU)
    assert capfd.readouterr() == ("", "")


def test_the_embedded_language_model_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    with pytest.raises(UserError, match="mini: the embedded networks are not in"):
        load_language_model("mini", device=CPU)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "~/no such folder"])
def test_a_missing_folder_is_named(name: str) -> None:
    with pytest.raises(UserError, match=f"--lm {name}: there is no such folder"):
        load_language_model(name, device=CPU)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ["gpt2", "someone/something", "not a name"])
def test_without_a_network_the_way_out_is_told(name: str) -> None:
    with pytest.raises(UserError, match=f"--lm {name}: could not be loaded.*or mini"):
        load_language_model(name, device=CPU)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--lm .*could not be loaded"):
        load_language_model(str(tmp_path), device=CPU)


def test_code_in_a_folder_is_never_run(lm_folder: Path, tmp_path: Path) -> None:
    folder, mark = tmp_path / "lm", tmp_path / "executed"
    shutil.copytree(lm_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "custom", "auto_map": {"AutoConfig": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"import os\nos.mkdir({str(mark)!r})\nclass Own: pass\n")
    with pytest.raises(UserError, match="could not be loaded"):
        load_language_model(str(folder), device=CPU)
    assert not mark.exists()


def test_int8_weights_that_lack_a_tensor_are_refused(int8_lm_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lm"
    shutil.copytree(int8_lm_folder, folder)
    stored = load_file(folder / "model.safetensors")
    kept = {k: v.clone() for k, v in stored.items() if "ln_f" not in k}
    save_file(kept, folder / "model.safetensors")
    with pytest.raises(UserError, match=r"missing: transformer\.ln_f\.weight"):
        load_language_model(str(folder), device=CPU)


def test_the_embedded_tokenizer_loads_in_transformers_4_and_5() -> None:
    """Version 5 writes a class name that 4 does not know; the former one is known to both."""
    path = embedded.embedded("lm") / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast" and "backend" not in config
    assert load_language_model("mini", device=CPU).tokenizer(" a dog")["input_ids"]
