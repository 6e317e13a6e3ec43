"""The summary of a class as it is read: chosen again from the stored matrix, for any length."""

from typing import Literal, get_args

import numpy as np
from sqlalchemy import Engine

from db import queries
from db.records import Pmi, Sentence, Summary
from mapcap.summaries.selection import Selected, choose

Side = Literal["all", "right", "wrong"]
"""Of which images: all, those that are predicted right, or those that are not."""

SIDES: tuple[Side, ...] = get_args(Side)
LEAST_IMAGES = 5
"""Correct and misclassified images from which on a class has a summary of either side."""


def read_summary(
    engine: Engine, class_id: int, k: int, redundancy: float, side: Side = "all"
) -> Summary | None:
    """Choose a class's sentences; None without a matrix, or for a side without enough images."""
    pmi = queries.pmi(engine, class_id)
    return None if pmi is None else summarise(engine, pmi, k, redundancy, side)


def read_sides(
    engine: Engine, class_id: int, k: int, redundancy: float
) -> tuple[Summary, Summary] | None:
    """Choose what correct and what misclassified images share; None where a side has too few."""
    pmi = queries.pmi(engine, class_id)
    if pmi is None:
        return None
    right, wrong = (summarise(engine, pmi, k, redundancy, side) for side in SIDES[1:])
    return (right, wrong) if right is not None and wrong is not None else None


def summarise(
    engine: Engine, pmi: Pmi, k: int, redundancy: float, side: Side = "all"
) -> Summary | None:
    """Choose the sentences of a class whose matrix is read; None as of `read_summary`."""
    if not pmi.texts or (side != "all" and not _has_sides(engine, pmi.class_id)):
        return None
    counts = {"all": pmi.counts, "right": pmi.right, "wrong": pmi.wrong}[side]
    chosen = choose(pmi, k, redundancy, counts)
    ids = sorted({int(pmi.caption_ids[row]) for pick in chosen for row in pick.members})
    images = queries.images_of_captions(engine, pmi.class_id, ids)
    sentences = [_sentence(pmi, place, pick, images) for place, pick in enumerate(chosen)]
    return Summary(0, pmi.class_id, k, redundancy, tuple(sentences))


def _has_sides(engine: Engine, class_id: int) -> bool:
    record = queries.class_record(engine, class_id)
    if record.correct is None:
        return False
    return min(record.correct, record.predicted - record.correct) >= LEAST_IMAGES


def _sentence(
    pmi: Pmi, place: int, pick: Selected, images: dict[int, list[tuple[int, bool]]]
) -> Sentence:
    ids = tuple(int(pmi.caption_ids[row]) for row in pick.members)
    shown = {image for caption_id in ids for image in images[caption_id]}
    # Not a sum: in a damaged file a prediction may be neither.
    right = sum(1 for _, correct in shown if correct)
    return Sentence(
        position=place,
        caption_id=int(pmi.caption_ids[pick.index]),
        text=pmi.texts[pick.index],
        relevance=pick.relevance,
        penalty=pick.penalty,
        score=pick.score,
        count=int(np.sum(pmi.counts[list(pick.members)])),
        right=right,
        wrong=len(shown) - right,
        caption_ids=ids,
    )
