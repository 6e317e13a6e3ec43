"""From what the store holds of a class to the values behind its figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.records import ClassCaption
from mapcap.evaluation.reading import Boxed, Captioned, ClassMaterial, Maps
from mapcap.metrics.localisation import informative, localise, spread
from mapcap.metrics.retrieval import TOP, ranks
from mapcap.texts.artefacts import is_artefact
from mapcap.texts.captions import is_empty

Values = dict[str, NDArray[np.float64]]
"""Values by the name of their figure, which is their mean: one an image, region or class."""

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to embeddings (n, D), L2-normalised."""


def class_values(
    material: ClassMaterial, size: tuple[int, int], threshold: str, embed: Embed
) -> Values:
    """Return the values of a class, all but its summary's rank, which needs all classes."""
    return {
        **_single("basis-predicted", material.predicted),
        **_single("basis-captions", material.distinct_captions),
        **map_values(material.maps),
        **box_values(material.boxed, size, threshold),
        **caption_values(material.captions),
        **cosine_values(material.captioned, embed),
        **summary_values(material.summary, material.captions),
    }


def _single(name: str, value: float) -> Values:
    return {name: np.array([value], float)}


def map_values(maps: Maps) -> Values:
    """Return what can be said of maps without knowing where the object is."""
    if not len(maps.grids):
        return {}
    nonempty = maps.grids.any((1, 2))
    values = {
        "maps-empty": (~nonempty).astype(float),
        "map-mass": maps.strengths,
        "regions-per-map": maps.region_counts,
    }
    if nonempty.any():
        values["map-entropy"] = spread(maps.grids[nonempty])
    return values


def box_values(boxed: Boxed, size: tuple[int, int], threshold: str) -> Values:
    """Return how well maps find their boxes; empty maps and boxes that say nothing are excluded."""
    if not len(boxed.grids):
        return {}
    usable = informative(boxed.boxes, size)
    kept = usable & boxed.grids.any((1, 2))
    values = {"boxes-excluded": (~usable).astype(float)}
    if kept.any():
        values |= localise(boxed.grids[kept], boxed.boxes[kept], size, threshold)
    return values


def caption_values(captions: Sequence[ClassCaption]) -> Values:
    """Return the shares of a class's regions whose captions are distinct, empty, artefacts."""
    counts = np.array([caption.count for caption in captions], float)
    if not counts.size:
        return {}
    empty = np.array([caption.is_empty for caption in captions])
    artefact = np.array([_is_artefact(caption) for caption in captions])
    spoken = counts[~empty].sum()
    values = _single("caption-empty", counts[empty].sum() / counts.sum())
    if spoken:
        values |= _single("caption-distinct", (~empty).sum() / spoken)
        values |= _single("caption-artefacts", counts[artefact & ~empty].sum() / spoken)
    return values


def _is_artefact(caption: ClassCaption) -> bool:
    # A file that an older MapCap wrote has not judged its captions.
    return is_artefact(caption.text) if caption.artefact is None else caption.artefact


def cosine_values(captioned: Captioned, embed: Embed) -> Values:
    """Return how near captions are to their regions, and by how much nearer than to the image."""
    nonempty = [place for place, text in enumerate(captioned.texts) if not is_empty(text)]
    if not nonempty:
        return {}
    texts = embed([captioned.texts[place] for place in nonempty]).astype(float)
    to_region, to_image = (
        (texts * vectors[nonempty].astype(float)).sum(1)
        for vectors in (captioned.regions, captioned.images)
    )
    return {"caption-cosine": to_region, "caption-specificity": to_region - to_image}


def summary_values(summary: Sequence[str], captions: Sequence[ClassCaption]) -> Values:
    """Return the artefact share of a summary, and whether it is above that of its captions."""
    if not summary:
        return {}
    judged = {caption.text: _is_artefact(caption) for caption in captions}
    share = float(np.mean([judged.get(text, False) for text in summary]))
    source = caption_values(captions).get("caption-artefacts", np.zeros(1))[0]
    return {
        **_single("summary-artefacts", share),
        **_single("summary-worse", float(share > source)),
    }


def summary_embedding(summary: Sequence[str], embed: Embed) -> NDArray[np.float64] | None:
    """Return the mean (D,) of the embeddings of a summary's sentences, None without any."""
    return embed(summary).astype(float).mean(0) if summary else None


def rank_values(
    summaries: Mapping[int, NDArray[Any]],
    class_ids: Sequence[int],
    names: NDArray[Any],
    prefix: str = "class",
) -> dict[int, Values]:
    """Return how each class's summary (D,) finds its class among the names (K, D).

    The figures are called by `prefix`: "class", or "nameless" where the words of the classes'
    own names are left out.
    """
    if not summaries:
        return {}
    place = {class_id: index for index, class_id in enumerate(class_ids)}
    summarised = list(summaries)
    targets = np.array([place[class_id] for class_id in summarised])
    places = ranks(np.stack([summaries[class_id] for class_id in summarised]), names, targets)
    return {
        class_id: {
            **_single(f"{prefix}-retrieval-rank", rank),
            **_single(f"{prefix}-retrieval-top1", float(rank <= 1)),
            **_single(f"{prefix}-retrieval-top5", float(rank <= TOP)),
        }
        for class_id, rank in zip(summarised, places.tolist(), strict=True)
    }
