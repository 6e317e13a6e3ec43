"""A rendered test bed, small, shared by the tests that only read it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from scripts.planted.folder import write_planted
from scripts.planted.truth import Truth

PER_CLASS = 20


class Bed(NamedTuple):
    folder: Path
    truth: Truth

    def of(self, fault: str) -> str:
        """Return the one class with that fault."""
        (name,) = [name for name, one in self.truth.classes.items() if one.fault == fault]
        return name

    def paths(self, class_name: str) -> list[str]:
        return [path for path, one in self.truth.images.items() if one.label == class_name]

    def pixels(self, path: str) -> npt.NDArray[np.float64]:
        with Image.open(self.folder / path) as file:
            return np.asarray(file.convert("RGB"), dtype=np.float64)


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    folder = tmp_path_factory.mktemp("bed") / "planted"
    return Bed(folder, write_planted(folder, seed=0, per_class=PER_CLASS))
