"""Findings of parts of a class that fail: by words, by slices, by doubted labels."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.findings import MOST_EVIDENCE, Found
from mapcap.audit.labels import Suspects
from mapcap.audit.material import Material, places
from mapcap.audit.slices import Slice
from mapcap.audit.word_rows import WordRow
from mapcap.audit.words import phrases
from mapcap.stats import SIGNIFICANT

_WORD_FIGURES = ("log_odds", "z", "q", "b2t", "b2t_low", "b2t_high")
_SAME_IMAGES = 0.6
"""Two words that share more of their wrong images (Jaccard) are one finding."""


def words(material: Material, rows: Sequence[WordRow]) -> list[Found]:
    """Return the words that the errors have, or lack, more often than the right images do.

    The images concerned are those that hold the word, or for a word of the right images those that
    lack it. A word that concerns mostly the same wrong images as a stronger one is left out.
    """
    images = material.images
    wrong = ~images.correct
    found: list[Found] = []
    for row in rows:
        holding = np.array([row.word in held for held in images.words])
        concerned = holding if row.z > 0 else ~holding
        marked = frozenset(np.flatnonzero(concerned & wrong).tolist())
        gap = _rate(wrong[concerned]) - _rate(wrong[~concerned])
        known = any(
            len(marked & one.wrong) > _SAME_IMAGES * len(marked | one.wrong) for one in found
        )
        if row.q > SIGNIFICANT or gap <= 0 or known:
            continue
        telling = np.concatenate(
            [places(concerned & side, images.margins) for side in (wrong, ~wrong)]
        )
        right, right_without = int((holding & ~wrong).sum()), int((~holding & ~wrong).sum())
        verb = "marks the errors" if row.z > 0 else "is what the errors lack"
        found.append(
            Found(
                "word",
                f"“{row.word}” {verb}: {right} of {int(holding.sum())} right with it, "
                f"{right_without} of {int((~holding).sum())} without",
                len(marked) / len(images) * gap,
                {
                    "word": row.word,
                    "errors_have_it": row.z > 0,
                    "images": int(holding.sum()),
                    "right": right,
                    "images_without": int((~holding).sum()),
                    "right_without": right_without,
                    **{key: getattr(row, key) for key in _WORD_FIGURES},
                },
                images.ids[telling].tolist()[:MOST_EVIDENCE],
                _saying(material, telling, row.word) if row.z > 0 else (),
                marked,
            )
        )
    return found


def _saying(material: Material, telling: NDArray[np.int64], word: str) -> list[int]:
    """Return the regions of images whose own caption holds a word."""
    regions = material.regions
    saying = [i for i in regions.of(telling) if word in phrases([regions.captions[i]])]
    ids: list[int] = regions.ids[saying].tolist()
    return ids[:MOST_EVIDENCE]


def slices(material: Material, parts: Sequence[Slice]) -> list[Found]:
    """Return the clusters of regions whose images err significantly more often than the rest."""
    images, wrong = material.images, ~material.images.correct
    found = []
    for part in parts:
        inside = np.zeros(len(images), bool)
        inside[part.images] = True
        rate, other = _rate(wrong[inside]), _rate(wrong[~inside])
        if part.q > SIGNIFICANT or rate <= other:
            continue
        telling = [*part.images[wrong[part.images]], *part.images[~wrong[part.images]]]
        name = part.names[0].rstrip(".") if part.names else "without words"
        bad_without = int(wrong[~inside].sum())
        found.append(
            Found(
                "slice",
                f"images like “{name}”: {part.wrong} of {len(part.images)} wrong, "
                f"the others {bad_without} of {int((~inside).sum())}",
                part.wrong / len(images) * (rate - other),
                {
                    "names": part.names,
                    "images": len(part.images),
                    "wrong": part.wrong,
                    "regions": len(part.regions),
                    "images_without": int((~inside).sum()),
                    "wrong_without": bad_without,
                    "p": part.p,
                    "q": part.q,
                },
                images.ids[telling].tolist()[:MOST_EVIDENCE],
                material.regions.ids[part.regions].tolist()[:MOST_EVIDENCE],
                frozenset(part.images[wrong[part.images]].tolist()),
            )
        )
    return found


def labels(material: Material, doubted: Suspects) -> list[Found]:
    """Return the images whose labels are doubted, as one finding."""
    images, names = material.images, material.names.names
    if not len(doubted.index):
        return []
    said = Counter(names[class_id] for class_id in doubted.said.tolist())
    listed = ", ".join(
        name if len(said) == 1 else f"{name} ({count})" for name, count in said.most_common(3)
    )
    n = len(doubted.index)
    return [
        Found(
            "label",
            f"{n} of {len(images)} may be labelled wrongly: {_look(n)} like {listed}",
            n / len(images) * float((doubted.votes * doubted.confidence).mean()),
            {
                "images": n,
                "of": len(images),
                "said": dict(said.most_common()),
                "mean_confidence": float(doubted.confidence.mean()),
                "mean_share_of_neighbours": float(doubted.votes.mean()),
            },
            images.ids[doubted.index].tolist()[:MOST_EVIDENCE],
            (),
            frozenset(doubted.index.tolist()),
        )
    ]


def _look(count: int) -> str:
    return "it looks" if count == 1 else "they look"


def _rate(wrong: NDArray[np.bool_]) -> float:
    return float(wrong.mean()) if len(wrong) else 0.0
