"""Captions of regions, PMI matrices and the summaries chosen from them."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, Engine, delete, func, select, update

from db.engine import writing
from db.rows import NewCaption, NewPmi, NewSummary
from db.schema import (
    Caption,
    ClassCaption,
    ClassName,
    Image,
    Pmi,
    Region,
    RegionCaption,
    Summary,
    SummarySentence,
)
from db.sql import in_ids, merge, row_of, upsert
from db.text import storable


def add_captions(engine: Engine, run_id: int, captions: Sequence[NewCaption]) -> None:
    """Store the captions of regions, each distinct text once."""
    if not captions:
        return
    texts = {
        storable(new.text): {
            "run_id": run_id,
            "text": new.text,
            "token_count": new.token_count,
            "is_empty": new.is_empty,
            "artefact": new.artefact,
        }
        for new in captions
    }
    store_texts = merge(Caption, ["run_id", "text"], ["token_count", "is_empty", "artefact"])
    find_owners = (
        select(Region.id, Region.role, Image.class_id)
        .join(Image, Image.id == Region.image_id)
        .where(in_ids(Region.id, [new.region_id for new in captions]))
    )
    with writing(engine) as connection:
        returning = store_texts.returning(Caption.id, Caption.text)
        ids = {text: number for number, text in connection.execute(returning, [*texts.values()])}
        owners = {row.id: row for row in connection.execute(find_owners)}
        rows = [
            {
                "region_id": new.region_id,
                "caption_id": ids[storable(new.text)],
                "class_id": owners[new.region_id].class_id,
                "role": owners[new.region_id].role,
                "log_probability": new.log_probability,
                "cosine": new.cosine,
            }
            for new in captions
        ]
        upsert(connection, RegionCaption, ["region_id"], rows)


def add_pmi(engine: Engine, new: NewPmi) -> None:
    """Store a class's matrix; summaries that were chosen from an older one go.

    `aggregate_captions` comes first: the matrix notes how many captioned regions there were.
    """
    half = new.matrix.dtype == np.float16
    row = {**row_of(new), "matrix": new.matrix if half else new.matrix.astype(np.float32)}
    captioned = select(func.coalesce(func.sum(ClassCaption.count), 0)).where(
        ClassCaption.class_id == new.class_id
    )
    with writing(engine) as connection:
        row["region_total"] = connection.execute(captioned).scalar_one()
        upsert(connection, Pmi, ["class_id"], [row])
        connection.execute(delete(Summary).where(Summary.class_id == new.class_id))


def add_summaries(store: Engine | Connection, summaries: Sequence[NewSummary]) -> None:
    """Store selections with their sentences, and each class's first sentence beside its figures."""
    keys = ("class_id", "k", "redundancy")
    with writing(store) as connection:
        for new in summaries:
            row = row_of(new, without={"sentences"})
            statement = merge(Summary, keys, ()).values(row).returning(Summary.id)
            summary_id = connection.execute(statement).scalar_one()
            connection.execute(
                delete(SummarySentence).where(SummarySentence.summary_id == summary_id)
            )
            sentences = [
                {"summary_id": summary_id, "position": position, **row_of(sentence)}
                for position, sentence in enumerate(new.sentences)
            ]
            upsert(connection, SummarySentence, ["summary_id", "position"], sentences)
            # The first choice has no penalty yet: it is the same for every length and redundancy.
            for sentence in new.sentences[:1]:
                text = select(Caption.text).where(Caption.id == sentence.caption_id)
                connection.execute(
                    update(ClassName)
                    .where(ClassName.id == new.class_id)
                    .values(first_sentence=text.scalar_subquery())
                )
