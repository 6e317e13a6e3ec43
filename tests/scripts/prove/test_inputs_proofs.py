"""A minute's worth of the proofs about what people put in."""

import subprocess
import sys

import pytest

from scripts.prove import pictures, tables
from scripts.prove._pictures import Case, cases, plain, saved


def test_every_kind_of_picture_once() -> None:
    count = len(cases())
    assert count >= 150
    # In a process of its own: what it takes at most is part of the proof.
    command = [sys.executable, "-m", "scripts.prove", "pictures", "--count", str(count + 40)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tables_of_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(["--count", "240", "--seed", "7"]) == 0, capsys.readouterr().out
    assert len(tables.KINDS) >= 12


def test_a_proof_can_fail() -> None:
    blue = Case(saved(plain((0, 0, 250)), "PNG"), colour=(200, 20, 20))
    from io import BytesIO

    from PIL import Image

    from mapcap.datasets.images import LoadedImage

    image = Image.open(BytesIO(blue.data))
    loaded = LoadedImage("0", 1, 1, image, *image.size, b"x")
    assert "colour" in (pictures.fault_of(blue, loaded) or "")
    assert pictures.fault_of(Case(b"", refused="empty"), loaded) == "read, as 48 x 32"
    assert pictures.fault_of(blue, LoadedImage(error="no")) == "refused: no"
