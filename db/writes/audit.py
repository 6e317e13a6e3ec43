"""The audit of a class, and the metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from db.engine import writing
from db.records import Figure
from db.rows import NewAudit, NewFinding
from db.schema import (
    ClassAudit,
    ClassFigure,
    ClassName,
    ErrorWord,
    Finding,
    FindingImage,
    FindingRegion,
    Image,
    ImageFigure,
)
from db.schema import Figure as FigureTable
from db.sql import audit_basis, in_ids, upsert


def add_audit(engine: Engine, new: NewAudit) -> None:
    """Store a class's audit in place of an older one."""
    with writing(engine) as connection:
        basis = select(*audit_basis()).where(ClassName.id == new.class_id)
        predicted, captioned = connection.execute(basis).one()
        row = {
            "class_id": new.class_id,
            "line": new.line,
            "clauses": [dict(clause) for clause in new.clauses],
            "figures": dict(new.figures),
            "predicted": predicted,
            "region_total": captioned,
            "audit_version": new.version,
        }
        upsert(connection, ClassAudit, ["class_id"], [row])
        for table in (Finding, ErrorWord):
            connection.execute(delete(table).where(table.class_id == new.class_id))
        for position, finding in enumerate(new.findings):
            _add_finding(connection, new.class_id, position, finding)
        words = [{"class_id": new.class_id, **asdict(word)} for word in new.words]
        if words:
            connection.execute(insert(ErrorWord), words)


def _add_finding(connection: Connection, class_id: int, position: int, new: NewFinding) -> None:
    row = {
        "class_id": class_id,
        "position": position,
        "kind": new.kind,
        "title": new.title,
        "score": new.score,
        "figures": dict(new.figures),
        "plain": new.plain,
        "colour": new.colour,
        "overlay": new.overlay,
        "details": list(new.details),
        "subject": new.subject or _contents(connection, new.image_ids),
    }
    finding_id = connection.execute(insert(Finding).returning(Finding.id), [row]).scalar_one()
    evidence = (
        (FindingImage, "image_id", new.image_ids),
        (FindingRegion, "region_id", new.region_ids),
    )
    for table, column, ids in evidence:
        rows = [
            {"finding_id": finding_id, "position": place, column: number}
            for place, number in enumerate(ids)
        ]
        if rows:
            connection.execute(insert(table), rows)


def _contents(connection: Connection, image_ids: Sequence[int]) -> str:
    """Return a short name for a set of photos that depends on nothing but their contents."""
    query = select(Image.content_hash).where(in_ids(Image.id, image_ids)).distinct()
    hashes = sorted(str(digest) for digest in connection.execute(query).scalars())
    return f"images {sha256(' '.join(hashes).encode()).hexdigest()[:16]}" if hashes else ""


def set_figures(
    engine: Engine,
    run_id: int,
    figures: Sequence[Figure],
    per_class: Mapping[int, Mapping[str, float]],
) -> None:
    """Store figures of a run and of its classes; those of other names stay."""
    of_run = [{"run_id": run_id, **asdict(figure)} for figure in figures]
    with writing(engine) as connection:
        upsert(connection, FigureTable, ["run_id", "name"], of_run)
        upsert(connection, ClassFigure, ["class_id", "name"], _rows("class_id", per_class))


def add_image_figures(engine: Engine, per_image: Mapping[int, Mapping[str, float]]) -> None:
    """Store figures that were measured on images."""
    with writing(engine) as connection:
        upsert(connection, ImageFigure, ["image_id", "name"], _rows("image_id", per_image))


def _rows(key: str, figures: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    return [
        {key: number, "name": name, "value": value}
        for number, named in figures.items()
        for name, value in named.items()
    ]
