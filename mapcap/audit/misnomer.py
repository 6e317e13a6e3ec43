"""A word by whose use as its name a class would be recognised far more often."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.concepts import kinds_of, things
from mapcap.audit.material import NO_WITNESS, Material
from mapcap.stats import SIGNIFICANT, mcnemar
from mapcap.texts.wording import without_name

_NEARLY_ALL = 0.8
"""Share of a class's images that the other word must fit better than the class's name."""
_LEAST_GAIN = 0.2
"""Share of the class's images by which more of them would be correct."""
_AT_ONCE = 1024
"""Images of the sample whose cosines with all the words are held at once."""
_SAME = 0.9
"""Cosine with another class's name from which on a word only names that class."""


@dataclass(frozen=True, eq=False)
class Misnomer:
    """A word that fits a class's images better than its name.

    `better` (n,) are the images that are nearer to the word; with it as the name `correct` (n,)
    would be so. `before` is the number of correct images of the class among its n; `lost` that of
    other classes' correct images in the run's sample that the word would draw; `p` is McNemar's of
    gains against losses, with Bonferroni's correction over `tried` words.
    """

    word: str
    better: NDArray[np.bool_]
    correct: NDArray[np.bool_]
    before: int
    lost: int
    p: float
    tried: int


def misnomer(material: Material) -> Misnomer | None:
    """Return the word of the vocabulary that would be a far better name, None if there is none.

    It must be nearer to nearly all of the class's images than the name is, and a CLIP that had it
    as the name must recognise more of them than it then loses of other classes: a word that is near
    to everything wins nothing. Only where the CLIP is the classifier.
    """
    images, names = material.images, material.names
    if not len(images) or len(names.ids) < 2 or (images.witness != NO_WITNESS).any():
        return None
    words = _candidates(material)
    if not words:
        return None
    texts = material.embed(words).astype(np.float32).T  # (D, W)
    me = int(names.places(np.array([material.class_id]))[0])
    rivals = np.delete(names.embeddings.astype(np.float32), me, axis=0).T
    features = images.embeddings.astype(np.float32)
    name_cosines = features @ names.embeddings[me].astype(np.float32)
    fits = features @ texts  # (n, W)
    hardest = (features @ rivals).max(1)
    before = name_cosines > hardest
    gains = (fits > hardest[:, None]).sum(0) - int(before.sum())
    losses = _losses(material, texts, me)
    better = (fits > name_cosines[:, None]).mean(0)
    good = (better >= _NEARLY_ALL) & (gains >= _LEAST_GAIN * len(images))
    if not good.any():
        return None
    best = int(np.where(good, gains - losses, -np.inf).argmax())
    p = mcnemar(int(gains[best]), int(losses[best])) * len(words)
    if gains[best] <= losses[best] or p > SIGNIFICANT:
        return None
    return Misnomer(
        words[best],
        fits[:, best] > name_cosines,
        fits[:, best] > hardest,
        int(before.sum()),
        int(losses[best]),
        p,
        len(words),
    )


def _losses(material: Material, texts: NDArray[np.float32], me: int) -> NDArray[np.int64]:
    """Return how many of the sample's other images, correct now, each word (D, W) would draw."""
    reference, names = material.reference, material.names
    chosen = reference.classes != material.class_id
    chosen &= reference.predicted == reference.classes
    embeddings, places = reference.embeddings[chosen], names.places(reference.classes[chosen])
    lost = np.zeros(texts.shape[1], np.int64)
    for start in range(0, len(embeddings), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        features = embeddings[part].astype(np.float32)
        name_cosines = (features * names.embeddings[places[part]].astype(np.float32)).sum(1)
        lost += (features @ texts > name_cosines[:, None]).sum(0)
    return lost


def _candidates(material: Material) -> list[str]:
    """Return the words that could be the class's name and name no class of the run."""
    names = material.names
    name = names.names[material.class_id]
    taken = {other.lower() for other in names.names.values()} | kinds_of(name)
    words = [w for w in things() if w.lower() not in taken and without_name(w, name) == w]
    if not words:
        return []
    cosines = material.embed(words).astype(np.float32) @ names.embeddings.astype(np.float32).T
    return [word for word, nearest in zip(words, cosines.max(1), strict=True) if nearest < _SAME]
