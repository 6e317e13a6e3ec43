"""Summaries and the matrices they are chosen from."""

from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, case, func, select

from db import schema
from db.errors import StoreError
from db.records import Pmi, Sentence, Summary
from db.sql import Query, columns_of, in_ids, records


def summaries(engine: Engine, class_id: int) -> list[tuple[int, float]]:
    """Return the (k, redundancy) for which a class has a summary, in order."""
    table = schema.Summary
    query = select(table.k, table.redundancy).where(table.class_id == class_id)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(table.redundancy, table.k))
        return [(k, redundancy) for k, redundancy in rows]


def summary(engine: Engine, class_id: int, k: int, redundancy: float) -> Summary | None:
    """Return the summary of a class of that length and redundancy, None if it is not stored."""
    table = schema.Summary
    query = select(table.id).where(
        table.class_id == class_id, table.k == k, table.redundancy == redundancy
    )
    with engine.connect() as connection:
        summary_id = connection.execute(query).scalar_one_or_none()
        if summary_id is None:
            return None
        sentences = _sentences(connection, summary_id, class_id)
    return Summary(summary_id, class_id, k, redundancy, sentences)


def _sentences(connection: Connection, summary_id: int, class_id: int) -> tuple[Sentence, ...]:
    table, counts = schema.SummarySentence, schema.ClassCaption
    query: Query = (
        select(
            *columns_of(
                Sentence,
                table,
                schema.Caption,
                count=func.coalesce(counts.count, 0),
                right=func.coalesce(counts.right, 0),
                wrong=func.coalesce(counts.wrong, 0),
                caption_ids=None,
            )
        )
        .join(schema.Caption, schema.Caption.id == table.caption_id)
        .outerjoin(counts, (counts.caption_id == table.caption_id) & (counts.class_id == class_id))
        .where(table.summary_id == summary_id)
        .order_by(table.position)
    )
    return tuple(records(Sentence, connection.execute(query)))


def pmi(engine: Engine, class_id: int) -> Pmi | None:
    """Return the stored matrix of a class with its captions' texts, None if there is none yet.

    StoreError if its parts do not fit together.
    """
    table = schema.Pmi
    query = select(
        table.caption_ids,
        table.counts,
        table.matrix,
        table.surprisal,
        table.relevance,
        table.distinct_total,
    ).where(table.class_id == class_id)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        ids = row.caption_ids.tolist()
        find = select(schema.Caption.id, schema.Caption.text).where(in_ids(schema.Caption.id, ids))
        texts = dict(connection.execute(find).all())
        counted = _counted(connection, class_id, ids)
    n = len(ids)
    vectors = (row.counts, row.surprisal, row.relevance)
    if row.matrix.shape != (n, n) or any(len(part) != n for part in vectors) or len(texts) != n:
        raise StoreError(f"the stored matrix of class {class_id} is damaged: index it again")
    return Pmi(
        class_id=class_id,
        caption_ids=row.caption_ids,
        texts=tuple(texts[number] for number in ids),
        counts=row.counts,
        matrix=row.matrix,
        surprisal=row.surprisal,
        relevance=row.relevance,
        distinct_total=row.distinct_total,
        **counted,
    )


def _counted(connection: Connection, class_id: int, ids: list[int]) -> dict[str, Any]:
    """Return what a class's run says of captions: images, classes, and its configuration."""
    owner = (
        select(schema.ClassName.run_id, schema.Run.config)
        .join(schema.Run, schema.Run.id == schema.ClassName.run_id)
        .where(schema.ClassName.id == class_id)
    )
    run_id, config = connection.execute(owner).one()
    table = schema.ClassCaption
    here = table.class_id == class_id
    held = (
        select(
            table.caption_id,
            func.count(),
            func.max(case((here, table.right), else_=0)),
            func.max(case((here, table.wrong), else_=0)),
        )
        .where(in_ids(table.caption_id, ids))
        .group_by(table.caption_id)
    )
    counts = {row[0]: row[1:] for row in connection.execute(held)}
    columns = np.array([counts.get(number, (1, 0, 0)) for number in ids], np.int64).reshape(-1, 3)
    total = select(func.count()).where(schema.ClassName.run_id == run_id)
    return {
        "classes": columns[:, 0],
        "right": columns[:, 1],
        "wrong": columns[:, 2],
        "class_total": connection.execute(total).scalar_one(),
        "config": config if isinstance(config, dict) else {},
    }
