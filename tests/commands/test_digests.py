"""Weights behind a path are known by their content."""

from pathlib import Path

import pytest

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.indexing.digests import check_digests, digests


def test_weights_behind_paths_have_digests_and_hub_names_none(tmp_path: Path) -> None:
    folder, file = tmp_path / "clip", tmp_path / "cap.pt"
    folder.mkdir()
    (folder / "open_clip_model.safetensors").write_bytes(b"one")
    (folder / "notes.txt").write_text("whatever")
    file.write_bytes(b"two")
    config = IndexConfig(
        photos="/p", model=f"local-dir:{folder}", captioner=f"clipcap:{file}", lm="gpt2"
    )
    before = digests(config)
    assert set(before) == {"--model", "--captioner"}
    (folder / "notes.txt").write_text("something else")
    assert digests(config) == before
    check_digests(config, before, digests(config))
    (folder / "open_clip_model.safetensors").write_bytes(b"three")
    with pytest.raises(UserError, match=r"--model .*clip: the weights there are not those"):
        check_digests(config, before, digests(config))


def test_an_emptied_file_has_other_weights(tmp_path: Path) -> None:
    file = tmp_path / "cap.pt"
    file.write_bytes(b"two")
    config = IndexConfig(photos="/p", captioner=f"clipcap:{file}")
    before = digests(config)
    check_digests(config, {}, before)  # a run of an older MapCap
    file.write_bytes(b"")
    with pytest.raises(UserError, match="--captioner"):
        check_digests(config, before, digests(config))


def test_a_folder_that_only_shares_a_name_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mini", "ViT-B-32"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "w.pt").write_bytes(b"one")
    assert digests(IndexConfig(photos="/p")) == {}
    assert digests(IndexConfig(photos="/p", model="ViT-B-32", pretrained="openai")) == {}
