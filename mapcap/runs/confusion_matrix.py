"""The confusion matrix of a stored run: the classes that are mixed up, the alike side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from db import queries
from db.records import ClassName
from mapcap.runs.seriation import seriate


@dataclass(frozen=True)
class ConfusionMatrix:
    """Classes in the order of the matrix, and its counts (n, n) of images; `left` are not in it.

    Rows are true classes, columns predicted ones; the diagonal holds the correct images.
    """

    classes: Sequence[ClassName]
    counts: NDArray[np.float64]
    left: int

    @property
    def shares(self) -> NDArray[np.float64]:
        """The counts as shares of each row's predicted images: (n, n)."""
        predicted = np.array([max(1, each.predicted) for each in self.classes], np.float64)
        return self.counts / predicted[:, None]


def read_matrix(engine: Engine, run_id: int, most: int) -> ConfusionMatrix:
    """Read the matrix of the `most` classes with the most misclassified images in row and column.

    Classes without any are left out and not counted; the order is by seriation.
    """
    classes = queries.classes(engine, run_id)
    position = {each.id: i for i, each in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)))
    for class_id, predicted_id, count in queries.run_confusions(engine, run_id):
        # A stranger's file may refer to classes that it does not have.
        if class_id in position and predicted_id in position:
            counts[position[class_id], position[predicted_id]] = count
    errors = counts.sum(axis=0) + counts.sum(axis=1)
    mixed = np.flatnonzero(errors)
    kept = mixed[np.argsort(-errors[mixed], kind="stable")][:most]
    order = kept[seriate(counts[np.ix_(kept, kept)])]
    shown = counts[np.ix_(order, order)]
    np.fill_diagonal(shown, [classes[i].correct for i in order])
    return ConfusionMatrix([classes[i] for i in order], shown, len(mixed) - len(order))
