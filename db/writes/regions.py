"""Regions of relevance maps and their embeddings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, bindparam, delete, select, update

from db.engine import writing
from db.rows import NewRegions
from db.schema import Embedding, Image, Region, Relevance
from db.sql import in_ids, merge, row_of, upsert
from db.writes.vectors import normalised


def add_regions(store: Engine | Connection, found: Sequence[NewRegions]) -> list[int]:
    """Store the regions of relevance maps, also that a map has none; return the regions' ids."""
    if not found:
        return []
    find = (
        select(Relevance.id, Relevance.image_id, Relevance.role, Image.run_id)
        .join(Image, Image.id == Relevance.image_id)
        .where(in_ids(Relevance.id, [new.relevance_id for new in found]))
    )
    with writing(store) as connection:
        maps = {row.id: row for row in connection.execute(find)}
        owners = [(maps[new.relevance_id], new.regions) for new in found]
        rows = [
            {"run_id": owner.run_id, "image_id": owner.image_id, "role": owner.role, "rank": rank}
            | row_of(region)
            for owner, regions in owners
            for rank, region in enumerate(regions, start=1)
        ]
        ids = _merged(connection, rows)
        counts = [
            {"map": owner.id, "image": owner.image_id, "as_role": owner.role, "n": len(regions)}
            for owner, regions in owners
        ]
        # What an earlier search found beyond these ranks is no region any more.
        surplus = delete(Region).where(
            Region.image_id == bindparam("image"),
            Region.role == bindparam("as_role"),
            Region.rank > bindparam("n"),
        )
        connection.execute(surplus, counts)
        counted = update(Relevance).where(Relevance.id == bindparam("map"))
        connection.execute(counted.values(region_count=bindparam("n")), counts)
    return ids


def _merged(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert or update regions; return their ids, in their order."""
    if not rows:
        return []
    keys = ["image_id", "role", "rank"]
    columns = Region.id, Region.image_id, Region.role, Region.rank
    statement = merge(Region, keys, rows[0]).returning(*columns)
    ids = {tuple(key): number for number, *key in connection.execute(statement, rows)}
    return [ids[tuple(row[key] for key in keys)] for row in rows]


def add_embeddings(
    store: Engine | Connection,
    representation: str,
    region_ids: Sequence[int],
    features: NDArray[np.floating[Any]],
) -> None:
    """Store the features (n, D) of n regions under a representation, as vectors and norms."""
    vectors, norms = normalised(features)
    rows = [
        {
            "region_id": int(region_id),
            "representation": representation,
            "vector": vector,
            "norm": norm,
        }
        for region_id, vector, norm in zip(region_ids, vectors, norms, strict=True)
    ]
    with writing(store) as connection:
        upsert(connection, Embedding, ["region_id", "representation"], rows)
