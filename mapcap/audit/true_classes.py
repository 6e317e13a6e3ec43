"""Which class a photo seems to be of, whatever its label: a discriminant that expects wrong labels.

Photos are held against the mean photo of each class, and against its name. The means are those of
the photos that seem to be of the class, not of those that bear its label, so that many wrong labels
spoil nothing, and no photo counts in a mean that it is held against itself.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_AXES: Final = 64
"""Principal axes kept."""
_SHRUNK: Final = 0.2
"""Share of a round covariance in that within classes (regularised discriminant analysis)."""
_ALIKE: Final = 1e-3
"""Least share of the photos' variance that is taken to be within classes."""
_OUTSIDE: Final = 1.0
"""Photos of no class that count in each class's mean: one of few photos is known less well."""
_TEMPERED: Final = 20.0
"""Squared distances count one part in so many: they are not Gaussian, and would be far too sure."""
_NAME: Final = 0.6
"""Weight of the names, whose similarities are scaled so that they fit the labels best."""
_RIGHT, _PRIOR_LABELS = 0.9, 20.0
"""Share of a class's labels that is taken to be right before looking, and what that weighs."""
_LEAST: Final = 1e-6
_ROUNDS: Final = 3
_SHARPEST, _SCALES = 300.0, 40
_AT_ONCE: Final = 1024
"""Photos that are held in float64 at once."""


@dataclass(frozen=True, eq=False)
class TrueClasses:
    """A fitted discriminant of K classes on d axes.

    `axes` (D, d) with `centre` (D,) take photos to where distances within classes are alike in all
    directions; `sums` (K, d) and `counts` (K,) are of the photos that seem to be of each class;
    `said` (K, K) counts the photos of each label (row) that seem to be of each class, with some
    that are taken to be right before looking; `names` (K, D) are scaled; `seems` (m, K) holds, for
    the photos that it was fitted on, `ids` (m,) sorted, how much each counts in each class.
    """

    axes: NDArray[np.float32]
    centre: NDArray[np.float32]
    sums: NDArray[np.float32]
    counts: NDArray[np.float32]
    said: NDArray[np.float32]
    names: NDArray[np.float32]
    ids: NDArray[np.int64]
    seems: NDArray[np.float32]

    def margins(
        self, vectors: NDArray[Any], ids: NDArray[np.int64], labels: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return by how much another class is more likely than the label, and which one.

        Both (n,): the logarithm of the odds, tempered, and places of classes. Minus infinity of a
        run with one class.

        Args:
            vectors: (n, D) photos, L2-normalised; `ids` (n,) theirs.
            labels: (n,) places of their labels among the classes.
        """
        n, classes = len(vectors), len(self.counts)
        if classes < 2 or not len(self.ids):
            return np.full(n, -np.inf), labels
        own = np.zeros((n, classes), np.float32)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        known = self.ids[places] == ids
        own[known] = self.seems[places[known]]
        photos = vectors.astype(np.float32)
        placed = ((photos - self.centre) @ self.axes).astype(np.float32)
        scores = _belief(self.said[labels] - own) + _evidence(
            placed, photos @ self.names.T, self.sums, self.counts, own
        )
        rows = np.arange(n)
        label = scores[rows, labels].copy()
        scores[rows, labels] = -np.inf
        best = scores.argmax(1)
        return (scores[rows, best] - label).astype(np.float64), best


def true_classes(
    vectors: NDArray[Any],
    ids: NDArray[np.int64],
    labels: NDArray[np.int64],
    names: NDArray[Any],
) -> TrueClasses:
    """Fit the discriminant to photos of a run, in a few rounds of expectation and maximisation.

    A linear discriminant with a class for each photo that is not known for sure: of photos with a
    label, a share seems to be of each class (Lawrence & Schölkopf 2001, ICML).

    Args:
        vectors: (m, D) photos, L2-normalised; `ids` (m,) ascending or not.
        labels: (m,) places of their labels in `names`.
        names: (K, D) text embeddings of the class names, L2-normalised.
    """
    order = np.argsort(ids, kind="stable")
    photos, given = vectors[order].astype(np.float32), labels[order]
    m, classes = len(photos), len(names)
    texts = names.astype(np.float32)
    if not m or classes < 2:
        empty = np.zeros((0, classes), np.float32)
        nothing = np.zeros((classes, 0), np.float32)
        centre = np.zeros(texts.shape[1], np.float32)
        return TrueClasses(
            np.zeros((texts.shape[1], 0), np.float32), centre, nothing,
            np.zeros(classes, np.float32), np.zeros((classes, classes), np.float32),
            texts, np.zeros(0, np.int64), empty,
        )  # fmt: skip
    cosines = photos @ texts.T  # (m, K)
    similar = _NAME * _fitting_scale(cosines, np.eye(classes, dtype=np.float32)[given]) * cosines
    centre = photos.mean(0)
    photos = photos - centre
    principal = _principal(photos)  # (D, d)
    points = photos @ principal
    before = np.full((classes, classes), _PRIOR_LABELS * (1 - _RIGHT) / (classes - 1), np.float32)
    np.fill_diagonal(before, _PRIOR_LABELS * _RIGHT)
    seems = _shares(_belief(before[given]) + similar)
    for _ in range(_ROUNDS):
        white = _whitening(points, seems)  # (d, d)
        placed = points @ white
        sums, counts = seems.T @ placed, seems.sum(0)
        scale = _NAME * _fitting_scale(cosines, seems)
        similar = scale * cosines
        found = _evidence(placed, similar, sums, counts, seems)
        seems = _shares(_belief(_said(before, given, seems)[given] - seems) + found)
    sums, counts = seems.T @ placed, seems.sum(0)
    said = _said(before, given, seems)
    return TrueClasses(
        principal @ white, centre, sums, counts, said, scale * texts, ids[order], seems
    )


def _said(
    before: NDArray[np.float32], labels: NDArray[np.int64], seems: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return how many photos of each label (row) seem to be of each class: (K, K)."""
    said = before.copy()
    np.add.at(said, labels, seems)
    return said


def _belief(said: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithm of the shares of counts (n, K), each row's own photo taken out."""
    counts = np.maximum(said, _LEAST)
    belief: NDArray[np.float32] = np.log(counts / counts.sum(1, keepdims=True))
    return belief


def _evidence(
    placed: NDArray[np.float32],
    similar: NDArray[np.float32],
    sums: NDArray[np.float32],
    counts: NDArray[np.float32],
    own: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return (n, K) what photos say for each class, their own part in its mean taken out.

    Points are centred, so that the photos of no class add nothing to the sums. With x a photo that
    counts w in a class of sum s and count c, the mean without it is (s - w x) / (c - w + outside),
    and x less that mean is ((c + outside) x - s) / (c - w + outside).
    """
    weight = counts + _OUTSIDE
    squared = (
        weight**2 * (placed**2).sum(1)[:, None] - 2 * weight * (placed @ sums.T) + (sums**2).sum(1)
    ) / np.maximum(weight - own, _OUTSIDE) ** 2
    evidence: NDArray[np.float32] = similar - squared / (2 * _TEMPERED)
    return evidence


def _principal(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first principal axes of points (m, D): (D, d)."""
    products = np.zeros((centred.shape[1],) * 2)
    for start in range(0, len(centred), _AT_ONCE):
        part = centred[start : start + _AT_ONCE].astype(np.float64)
        products += part.T @ part
    values, vectors = np.linalg.eigh(products)
    kept = values > 1e-9 * max(float(values.max(initial=0)), 1e-30)
    axes: NDArray[np.float32] = vectors[:, kept][:, ::-1][:, :_AXES].astype(np.float32)
    return axes


def _whitening(points: NDArray[np.float32], seems: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what makes the covariance within classes round: (d, d)."""
    sums, counts = (seems.T @ points).astype(np.float64), seems.sum(0, dtype=np.float64) + 1e-9
    total = points.T.astype(np.float64) @ points
    within = (total - (sums / counts[:, None]).T @ sums) / len(points)
    d = len(within)
    # Of one photo a class nothing is left within but rounding errors, of either sign.
    spread = max(float(np.trace(within)), _ALIKE * float(np.trace(total)) / len(points)) / max(d, 1)
    within = (1 - _SHRUNK) * within + _SHRUNK * spread * np.eye(d)
    white: NDArray[np.float32] = np.linalg.cholesky(np.linalg.inv(within)).astype(np.float32)
    return white


def _shares(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return softmax of scores (n, K)."""
    odds = np.exp(scores - scores.max(1, keepdims=True))
    shares: NDArray[np.float32] = odds / odds.sum(1, keepdims=True)
    return shares


def _fitting_scale(cosines: NDArray[np.float32], seems: NDArray[np.float32]) -> float:
    """Return the scale under which cosines (m, K) fit the classes that photos seem to be of.

    The one of the least cross-entropy (temperature scaling, Guo et al. 2017).
    """

    def loss(scale: float) -> float:
        scores = scale * cosines
        top = scores.max(1)
        evidence = top + np.log(np.exp(scores - top[:, None]).sum(1))
        return float(evidence.sum() - (seems * scores).sum())

    scales = np.geomspace(1.0, _SHARPEST, _SCALES)
    return float(scales[int(np.argmin([loss(scale) for scale in scales]))])
