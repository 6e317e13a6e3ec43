"""Copies of a class's images in its own folder and in others: the same file, or nearly so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.hashing import hashes
from mapcap.audit.material import Images, Reference

_CHUNK = 1024
"""Images of the run compared at a time."""
MOST_BITS = 8
"""Of the 63 bits of a hash, those in which near copies may differ: of the 3 million pairs of 2,500
different TinyImageNet photos none do, while recompressed and brightened ones differ in up to 6."""
LEAST_COSINE = 0.96
"""Least cosine of the embeddings of near copies: hashes of plain pictures agree by chance."""


@dataclass(frozen=True, eq=False)
class Copies:
    """Pairs of an image of the class and a copy of it: all (c,), each copy once per image.

    `places` in the class's images, `ids` and `classes` of the copies, `same` whether the files are
    equal byte for byte.
    """

    places: NDArray[np.int64]
    ids: NDArray[np.int64]
    classes: NDArray[np.int64]
    same: NDArray[np.bool_]


def copies_of(images: Images, reference: Reference) -> Copies:
    """Return the copies of a class's images among the run's: equal files, and near copies.

    Near copies are looked for in the reference: their hashes differ in at most 8 bits of 63, and
    the cosine of their embeddings is at least 0.96.
    """
    same = dict(_same(images, reference.same_files))
    near = {pair: label for pair, label in _near(images, reference) if pair not in same}
    pairs = sorted([*((*key, label, True) for key, label in same.items()),
                    *((*key, label, False) for key, label in near.items())])  # fmt: skip
    table = np.array(pairs, np.int64).reshape(-1, 4)
    return Copies(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(bool))


_Pair = tuple[tuple[int, int], int]


def _same(images: Images, files: NDArray[np.int64]) -> Iterator[_Pair]:
    """Give (place, id of the copy) and its class for files (k, 3) as `Reference` has them."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for number, label, group in files.tolist():
        groups.setdefault(group, []).append((number, label))
    group_of = {number: group for number, _, group in files.tolist()}
    for place, image_id in enumerate(images.ids.tolist()):
        for number, label in groups.get(group_of.get(image_id, -1), ()):
            if number != image_id:
                yield (place, number), label


def _near(images: Images, reference: Reference) -> Iterator[_Pair]:
    """Give the same for near copies."""
    own_hashes, vectors = hashes(images.pictures), images.embeddings.astype(np.float32)
    bits = own_hashes.shape[1]
    for start in range(0, len(reference.ids), _CHUNK):
        part = slice(start, start + _CHUNK)
        ids, classes = reference.ids[part], reference.classes[part]
        alike = own_hashes @ reference.hashes[part].T >= bits - 2 * MOST_BITS
        alike &= vectors @ _wide(reference.embeddings[part]).T >= LEAST_COSINE
        alike &= images.ids[:, None] != ids[None]
        for place, column in np.argwhere(alike).tolist():
            yield (place, int(ids[column])), int(classes[column])


def _wide(vectors: NDArray[Any]) -> NDArray[np.float32]:
    return vectors.astype(np.float32)
