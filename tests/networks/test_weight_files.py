"""Files of weights told by what they are, before anything is loaded from them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.language_models import check_language_model
from mapcap.networks.weight_files import check_weight_files, fault_of
from mapcap.networks.weights import load_weights

HEADER = b'{"a": {"dtype": "F32", "shape": [25], "data_offsets": [0, 100]}}'.ljust(65)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "an error message"),
        (b"GGUF\3\0\0\0", "a GGUF file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"hello", "neither safetensors nor"),
        (b"PK\3\4" + b"\0" * 100, "its end is missing"),
        (b"\x00\x10\0\0\0\0\0\0{" + b" " * 10, "the first part"),
        (b"A\0\0\0\0\0\0\0" + HEADER + b"\0" * 99, "the first part"),
        (b"/annex/objects/SHA256E-s1--a.safetensors", "git-annex"),
        (b'{"error": "Repository not found"}', "an error message"),
        (b"w/data.pkl".ljust(257, b"\0") + b"ustar", "a tar archive"),
    ],
)
def test_what_is_no_file_of_weights_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    for name in ("w.safetensors", "w.pt", "w.bin"):
        (tmp_path / name).write_bytes(content)
        assert reason in (fault_of(tmp_path / name) or "")
        config = IndexConfig(
            photos="/p", model="ViT-B-32", pretrained="openai", weights=str(tmp_path / name)
        )
        with pytest.raises(UserError, match=rf"--weights .*{name} is .*{reason.split()[-1]}"):
            check_weight_files(config)


def test_folders_are_looked_into_and_lists_of_phrases_are_not(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "open_clip_model.safetensors").write_bytes(b"version https://git-lfs.")
    with pytest.raises(UserError, match=r"--model .*open_clip_model"):
        check_weight_files(IndexConfig(photos="/p", model=f"local-dir:{tmp_path / 'clip'}"))
    (tmp_path / "list.txt").write_text("a dog\n")
    check_weight_files(IndexConfig(photos="/p", captioner=f"phrases:{tmp_path / 'list.txt'}"))


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    state = {"a": torch.arange(3.0)}
    save_file(state, tmp_path / "w.bin")
    torch.save(state, tmp_path / "w.safetensors")
    for name in ("w.bin", "w.safetensors"):
        assert fault_of(tmp_path / name) is None
        assert torch.equal(load_weights(tmp_path / name)["a"], state["a"])
    cut = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.pt").write_bytes(cut[: len(cut) // 2])
    with pytest.raises(UserError, match="its end is missing"):
        load_weights(tmp_path / "w.pt")


def test_a_folder_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UserError, match="has no tokenizer"):
        check_language_model(str(tmp_path))
