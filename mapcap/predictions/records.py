"""What a file of predictions holds, before its paths and classes are matched with the photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OPTION = "--predictions"


@dataclass(frozen=True, eq=False)
class Ranked:
    """The best classes of N images, best first: names or numbers, perhaps with scores."""

    paths: Sequence[str]
    places: Sequence[str]
    """Where each row stands in the file, such as `line 3`."""
    classes: Sequence[Sequence[str]]
    scores: Sequence[Sequence[float]] | None
    """Beside `classes`; None where the file has none."""
    labels: Sequence[str] | None = None
    """The true class of each image; None where the file has no column of them."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.paths)

    def keys(self) -> list[str]:
        """Return the classes that are spoken of, each once."""
        return list(dict.fromkeys(key for row in self.classes for key in row))

    def best(self, row: int) -> str:
        """Return the class that a row predicts."""
        return self.classes[row][0]


@dataclass(frozen=True, eq=False)
class Scored:
    """A score of each of K classes for N images: `values` (N, K) under `columns`."""

    paths: Sequence[str]
    places: Sequence[str]
    columns: Sequence[str]
    """Names of the classes, or their numbers as text."""
    values: NDArray[np.float64]
    labels: Sequence[str] | None = None
    """The true class of each image; None where the file has no column of them."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.paths)

    def keys(self) -> list[str]:
        """Return the classes that are spoken of, each once."""
        return list(self.columns)

    def best(self, row: int) -> str:
        """Return the class that a row predicts."""
        return self.columns[int(self.values[row].argmax())]


Table = Ranked | Scored


def numbered(keys: Sequence[str]) -> bool:
    """Tell whether all classes are numbers from 0 on."""
    return bool(keys) and all(key.isascii() and key.isdigit() and len(key) < 7 for key in keys)
