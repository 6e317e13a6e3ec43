"""Embeddings in blocks of eight bits: what they bound, and that they never go stale."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete

from db import queries, writes
from db.codecs import encode_array
from db.codes import codes_of
from db.errors import StoreError
from db.records import Codes, Vectors
from db.rows import NewRegions, NewRelevance
from db.schema import Image
from tests.stores import make_region


def unit(vectors: NDArray[Any]) -> NDArray[np.float16]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float16)


def vectors_of(vectors: NDArray[np.float16]) -> Vectors:
    return Vectors(np.arange(1, len(vectors) + 1), vectors, np.ones(len(vectors), np.float32))


@pytest.mark.parametrize("seed", range(4))
def test_codes_are_within_their_error(seed: int) -> None:
    generator = np.random.default_rng(seed)
    plain = generator.normal(size=(200, 48))
    # As networks do: one component is large in all.
    plain[:, 5] += 20
    plain[7] = 0
    stored = vectors_of(unit(plain))
    found = codes_of(stored)
    back = found.centre + found.scales[:, None].astype(np.float64) * found.codes
    lost = np.linalg.norm(back - stored.vectors.astype(np.float64), axis=1)
    assert (lost <= found.errors).all()
    assert np.median(found.errors) < 0.003
    assert found.codes.dtype == np.int8 and found.ids.tolist() == stored.ids.tolist()


def test_equal_vectors_lose_nothing() -> None:
    found = codes_of(vectors_of(np.full((3, 4), 0.5, np.float16)))
    assert not found.codes.any() and found.centre.tolist() == [0.5] * 4
    assert (found.errors < 1e-5).all()


def test_vectors_that_are_not_finite_are_an_error_of_the_store() -> None:
    with pytest.raises(StoreError, match="NaN or infinity"):
        codes_of(vectors_of(np.array([[np.nan, 1.0]], np.float16)))


@pytest.fixture(autouse=True)
def blocks_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put even the few regions of these tests into blocks."""
    monkeypatch.setattr("db.writes.regions.FEWEST", 1)


def test_few_regions_need_no_blocks(
    store: Any, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.writes.regions.FEWEST", len(ids) + 1)
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    assert parts(store) == [("Vectors", ids)]
    monkeypatch.setattr("db.writes.regions.FEWEST", len(ids))
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    assert parts(store) == [("Codes", ids)]


def parts(store: Any) -> list[tuple[str, list[int]]]:
    found = queries.region_codes(store.engine, store.run_id, "pooled")
    return [(type(part).__name__, part.ids.tolist()) for part in found]


@pytest.fixture
def ids(store: Any) -> list[int]:
    [chunk] = queries.region_embeddings(store.engine, store.run_id, "pooled")
    return [int(number) for number in chunk.ids]


def test_blocks_hold_every_region_once(
    store: Any, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.writes.regions.BLOCK", 3)
    assert parts(store) == [("Vectors", ids)]
    for _ in range(2):
        writes.pack_embeddings(store.engine, store.run_id, "pooled")
        assert parts(store) == [("Codes", ids[:3]), ("Codes", ids[3:6]), ("Codes", ids[6:])]
    assert not list(queries.region_codes(store.engine, store.run_id, "crop"))
    assert not list(queries.region_codes(store.engine, store.run_id + 1, "pooled"))


def test_the_block_of_a_region_may_come_first(
    store: Any, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.writes.regions.BLOCK", 3)
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    for own, wanted in (
        (ids[4], [ids[3:6], ids[6:], ids[:3]]),
        (ids[-1], [ids[6:], ids[:3], ids[3:6]]),
        (ids[-1] + 1, [ids[:3], ids[3:6], ids[6:]]),
    ):
        found = queries.region_codes(store.engine, store.run_id, "pooled", own)
        assert [part.ids.tolist() for part in found] == wanted


def test_what_is_in_blocks_is_not_read_again(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    packed: list[int] = []

    def counted(found: Vectors) -> Codes:
        packed.append(found.ids.size)
        return codes_of(found)

    monkeypatch.setattr("db.writes.regions.codes_of", counted)
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    assert packed == []


def test_an_embedding_that_is_written_again_takes_its_block_and_the_later_ones_away(
    store: Any, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.writes.regions.BLOCK", 2)
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    writes.add_embeddings(store.engine, "crop", [ids[0]], np.ones((1, 3)))
    assert len(parts(store)) == 4
    writes.add_embeddings(store.engine, "pooled", [ids[3]], np.array([[9.0, 0.0, 0.0]]))
    assert parts(store) == [("Codes", ids[:2]), ("Vectors", ids[2:])]
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    block = next(queries.region_codes(store.engine, store.run_id, "pooled", ids[3]))
    assert isinstance(block, Codes)
    back = block.centre + block.scales[:, None] * block.codes
    assert np.allclose(back, [[0.0, 0.6, 0.8], [1.0, 0.0, 0.0]], atol=0.01)


def test_new_regions_follow_the_blocks_until_they_are_packed(store: Any, ids: list[int]) -> None:
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    image = store.images["lynx/2.jpg"]
    grid = np.ones((4, 4), np.float32)
    [map_id] = writes.add_relevance(
        store.engine, [NewRelevance(image, "contrast", store.lynx, grid)]
    )
    [new] = writes.add_regions(store.engine, [NewRegions(map_id, [make_region()])])
    writes.add_embeddings(store.engine, "pooled", [new], np.array([[1.0, 0.0, 0.0]]))
    assert parts(store) == [("Codes", ids), ("Vectors", [new])]
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    assert parts(store) == [("Codes", ids), ("Codes", [new])]


def test_blocks_of_regions_that_are_gone_are_made_again(store: Any, ids: list[int]) -> None:
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    writes.remove_images(store.engine, [store.images["tabby/1.jpg"]])
    [chunk] = queries.region_embeddings(store.engine, store.run_id, "pooled")
    left = chunk.ids.tolist()
    assert len(left) < len(ids)
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    assert parts(store) == [("Codes", left)]
    with store.engine.begin() as connection:
        connection.execute(delete(Image))
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    assert parts(store) == []


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("codes", np.zeros((2, 3), np.int8), "parts differ in length"),
        ("codes", np.zeros((7, 2), np.int8), "parts differ in length"),
        ("codes", np.zeros((7, 3), np.uint8), "2 dimensions of |i1"),
        ("region_ids", np.arange(2), "parts differ in length"),
        ("errors", np.zeros(2, np.float32), "parts differ in length"),
        ("centre", np.zeros((1, 3), np.float32), "1 dimensions of <f4"),
    ],
)
def test_a_block_of_another_shape_is_an_error_of_the_store(
    store: Any, column: str, value: NDArray[Any], said: str
) -> None:
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    damage(store, column, encode_array(value))
    with pytest.raises(StoreError, match=said.replace("|", r"\|")):
        list(queries.region_codes(store.engine, store.run_id, "pooled"))


def test_a_block_without_bounds_is_an_error_of_the_store(store: Any) -> None:
    writes.pack_embeddings(store.engine, store.run_id, "pooled")
    blob = encode_array(np.zeros(7, np.float32))
    damage(store, "errors", blob[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(StoreError, match="NaN or infinity"):
        list(queries.region_codes(store.engine, store.run_id, "pooled"))


def damage(store: Any, column: str, blob: bytes) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE embedding_block SET {column} = ?", (blob,))
