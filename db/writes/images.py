"""Images, what the model says of them, and where it looks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, bindparam, delete, or_, select, update

from db.engine import writing
from db.records import Box
from db.rows import NewImage, NewPrediction, NewRelevance, NewWitness
from db.schema import (
    ClassAudit,
    ClassFigure,
    ClassName,
    Image,
    ImageEmbedding,
    Pmi,
    Prediction,
    PredictionTop,
    Relevance,
    Summary,
    Thumbnail,
    Witness,
)
from db.sql import corners_of, in_ids, merge, row_of, upsert
from db.text import storable
from db.writes.vectors import normalised


def add_images(store: Engine | Connection, run_id: int, images: Sequence[NewImage]) -> list[int]:
    """Store files of the dataset, readable or not; return their ids, in their order.

    A path whose content or class is another than before loses all that was computed from it.
    """
    if not images:
        return []
    rows = [{"run_id": run_id, **row_of(new, without={"thumbnail"})} for new in images]
    changed = delete(Image).where(
        Image.run_id == run_id,
        Image.path == bindparam("old_path"),
        or_(
            Image.content_hash.is_distinct_from(bindparam("old_hash")),
            Image.class_id != bindparam("old_class"),
        ),
    )
    old = [
        {"old_path": row["path"], "old_hash": row["content_hash"], "old_class": row["class_id"]}
        for row in rows
    ]
    statement = merge(Image, ["run_id", "path"], rows[0]).returning(Image.id, Image.path)
    with writing(store) as connection:
        connection.execute(changed, old)
        ids = {path: number for number, path in connection.execute(statement, rows)}
        thumbnails = [
            {"image_id": ids[storable(new.path)], "webp": new.thumbnail}
            for new in images
            if new.thumbnail is not None
        ]
        upsert(connection, Thumbnail, ["image_id"], thumbnails)
    return [ids[storable(new.path)] for new in images]


def remove_images(store: Engine | Connection, image_ids: Sequence[int]) -> None:
    """Drop images with all that was computed from them: their files are gone."""
    with writing(store) as connection:
        connection.execute(delete(Image).where(in_ids(Image.id, image_ids)))


def outdate(store: Engine | Connection, run_id: int, class_ids: Collection[int]) -> None:
    """Let everything be made again that rests on images of classes which are about to change.

    The captions' matrices of these classes go. Summaries (by the inverse document frequency),
    audits and metrics rest on the whole run: those of all classes are out of date.
    """
    classes = select(ClassName.id).where(ClassName.run_id == run_id)
    with writing(store) as connection:
        connection.execute(delete(Pmi).where(in_ids(Pmi.class_id, class_ids)))
        connection.execute(delete(Summary).where(Summary.class_id.in_(classes)))
        audits = update(ClassAudit).where(ClassAudit.class_id.in_(classes))
        connection.execute(audits.values(predicted=-1))
        basis = ClassFigure.name.startswith("basis-")
        connection.execute(delete(ClassFigure).where(ClassFigure.class_id.in_(classes), basis))


def set_boxes(store: Engine | Connection, boxes: Mapping[int, Box | None]) -> None:
    """Give images, by id, the box of their object, or none."""
    rows = [{"number": number, **corners_of(box)} for number, box in boxes.items()]
    if not rows:
        return
    values: dict[str, Any] = {name: bindparam(name) for name in corners_of(None)}
    statement = update(Image).where(Image.id == bindparam("number")).values(values)
    with writing(store) as connection:
        connection.execute(statement, rows)


def mark_unreadable(engine: Engine, errors: Sequence[tuple[int, str]]) -> None:
    """Give images, by id, the error that a later stage met: no stage asks for them again."""
    rows = [{"image_id": image_id, "message": message} for image_id, message in errors]
    if not rows:
        return
    statement = (
        update(Image)
        .where(Image.id == bindparam("image_id"))
        .values(error=bindparam("message", type_=Image.error.type))
    )
    with writing(engine) as connection:
        connection.execute(statement, rows)


def add_predictions(store: Engine | Connection, predictions: Sequence[NewPrediction]) -> None:
    """Store what the model says of images, with their best classes and their embeddings."""
    ids = [new.image_id for new in predictions]
    top = [
        {
            "image_id": new.image_id,
            "rank": rank,
            "class_id": class_id,
            "probability": probability,
            "logit": logit,
        }
        for new in predictions
        for rank, (class_id, probability, logit) in enumerate(new.top, start=1)
    ]
    featured = [(new.image_id, new.feature) for new in predictions if new.feature is not None]
    with writing(store) as connection:
        find = select(Image.id, Image.class_id).where(in_ids(Image.id, ids))
        class_of = dict(connection.execute(find).all())
        rows = [_prediction_row(class_of[new.image_id], new) for new in predictions]
        upsert(connection, Prediction, ["image_id"], rows)
        connection.execute(delete(PredictionTop).where(in_ids(PredictionTop.image_id, ids)))
        upsert(connection, PredictionTop, ["image_id", "rank"], top)
        if featured:
            vectors, norms = normalised(np.stack([feature for _, feature in featured]))
            embedded = [
                {"image_id": image_id, "vector": vector, "norm": norm}
                for (image_id, _), vector, norm in zip(featured, vectors, norms, strict=True)
            ]
            upsert(connection, ImageEmbedding, ["image_id"], embedded)


def _prediction_row(class_id: int, new: NewPrediction) -> dict[str, Any]:
    predicted = new.top[0][0]
    return {
        **row_of(new, without={"top", "feature"}),
        "class_id": class_id,
        "predicted_class_id": predicted,
        "correct": predicted == class_id,
    }


def add_witness(store: Engine | Connection, witnesses: Sequence[NewWitness]) -> None:
    """Store what the CLIP says of images that another classifier predicts."""
    with writing(store) as connection:
        upsert(connection, Witness, ["image_id"], [row_of(new) for new in witnesses])


def add_relevance(store: Engine | Connection, maps: Sequence[NewRelevance]) -> list[int]:
    """Store relevance maps; return their ids, in their order.

    A map that is written again has its regions to be found again.
    """
    rows = [_relevance_row(new) for new in maps]
    if not rows:
        return []
    table = Relevance
    merged = merge(table, ["image_id", "role"], rows[0])
    statement = merged.returning(table.id, table.image_id, table.role)
    with writing(store) as connection:
        ids = {(image, role): number for number, image, role in connection.execute(statement, rows)}
    return [ids[new.image_id, new.role] for new in maps]


def _relevance_row(new: NewRelevance) -> dict[str, Any]:
    grid = new.grid.astype(np.float32)
    raw_max = float(np.abs(grid).max(initial=0.0))
    if not np.isfinite(raw_max):
        raise ValueError(f"the relevance of image {new.image_id} holds NaN or infinity")
    return {
        **row_of(new),
        # An all-zero map is a real case: it stays as it is.
        "grid": grid / raw_max if raw_max > 0 else grid,
        "raw_max": raw_max,
        "raw_mass": float(grid.sum(dtype=np.float64)),
        "region_count": None,
    }
