"""Regions of relevance maps and their embeddings."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update

from db.codes import BLOCK, codes_of
from db.engine import writing
from db.rows import NewRegions
from db.schema import Embedding, EmbeddingBlock, Image, Region, Relevance
from db.sql import embedded, in_ids, merge, row_of, stack, upsert
from db.writes.vectors import normalised

# From so many regions on blocks pay: fewer are searched in 0.1 s as they are, and blocks make the
# embeddings longer by half.
FEWEST: Final = 16384


def add_regions(store: Engine | Connection, batch: Sequence[NewRegions]) -> list[int]:
    """Store the regions of relevance maps, also that a map has none; return the regions' ids."""
    if not batch:
        return []
    find = (
        select(Relevance.id, Relevance.image_id, Relevance.role, Image.run_id)
        .join(Image, Image.id == Relevance.image_id)
        .where(in_ids(Relevance.id, [new.relevance_id for new in batch]))
    )
    with writing(store) as connection:
        maps = {row.id: row for row in connection.execute(find)}
        owners = [(maps[new.relevance_id], new.regions) for new in batch]
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
    if not rows:
        return
    with writing(store) as connection:
        upsert(connection, Embedding, ["region_id", "representation"], rows)
        # What blocks say of these regions is no longer true, and blocks have no holes.
        outdated = delete(EmbeddingBlock).where(
            EmbeddingBlock.representation == representation,
            EmbeddingBlock.last_region_id >= min(map(int, region_ids)),
        )
        connection.execute(outdated)


def pack_embeddings(engine: Engine, run_id: int, representation: str) -> None:
    """Copy a run's region embeddings into blocks of eight bits, for the search to read first.

    A run of few regions needs none. Each block is a transaction. What is in blocks already stays,
    unless regions of these are gone.
    """
    table = EmbeddingBlock
    conditions = table.run_id == run_id, table.representation == representation
    with writing(engine) as connection:
        held = select(func.max(table.last_region_id), func.coalesce(func.sum(table.count), 0))
        packed, count = connection.execute(held.where(*conditions)).one()
        after = int(packed or 0)
        regions = select(func.count()).where(Region.run_id == run_id, Region.id <= after)
        if connection.execute(regions).scalar_one() != count:
            connection.execute(delete(table).where(*conditions))
            after = 0
        every = select(func.count()).where(Region.run_id == run_id)
        if not after and connection.execute(every).scalar_one() < FEWEST:
            return
    while (end := _pack(engine, run_id, representation, after)) is not None:
        after = end


def _pack(engine: Engine, run_id: int, representation: str, after: int) -> int | None:
    """Write the next block beyond a region; return its last region, None if there is none."""
    with writing(engine) as connection:
        vectors = stack(connection, embedded(run_id, representation, after).limit(BLOCK))
        if not vectors.ids.size:
            return None
        block = codes_of(vectors)
        last = int(vectors.ids[-1])
        row = {
            "run_id": run_id,
            "representation": representation,
            "last_region_id": last,
            "count": vectors.ids.size,
            "region_ids": block.ids,
            **row_of(block, without={"ids"}),
        }
        connection.execute(insert(EmbeddingBlock), row)
    return last
