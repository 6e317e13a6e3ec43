"""What works in an actor, called as Ray does but in this process."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch

from db import queries
from db.engine import open_read
from mapcap.config import IndexConfig
from mapcap.datasets import scan
from mapcap.indexing import ray_actors
from mapcap.indexing.ray_actors import Computed, Fetcher, Order, Refused, Wanted, Worker
from mapcap.indexing.stages.explaining import Explaining, Passed, Photo
from mapcap.indexing.stages.pmi import _fetch
from mapcap.networks.loading import Networks, load_networks


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(IndexConfig(photos="here"), torch.device("cpu"))


@pytest.fixture
def order(photos: Path, networks: Networks) -> Iterator[Order]:
    config, dataset = IndexConfig(photos=str(photos)), scan(photos)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_actors, "load_networks", lambda *_: networks)
        yield Order(
            Explaining, "images", "images", config, dataset.source, dataset.classes,
            "cpu", "auto", 4, False, {}, version("mapcap"),
        )  # fmt: skip


def wanted(photos: Path) -> Wanted:
    batch = [Photo(item, 1, None) for item in scan(photos).items[:4]]
    return Wanted(len(batch), batch)


def outcome(actor: Worker | Fetcher, row: Any) -> Any:
    ((result,),) = actor({"batch": [row]}).values()
    return result


def test_a_batch_comes_back_with_what_is_to_be_stored(order: Order, photos: Path) -> None:
    computed = outcome(Worker(order), wanted(photos))
    assert isinstance(computed, Computed) and 0 <= computed.reading <= 1
    ((count, passed),) = computed.parts
    assert isinstance(passed, Passed) and count == len(passed.rows) == 4
    assert passed.explanation is not None and len(passed.explanation.features) == len(
        passed.readable
    )


def test_a_batch_too_large_for_the_device_comes_back_in_parts(
    order: Order, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = Explaining.compute

    def small(self: Explaining, data: Any, tick: Any) -> Passed:
        if len(data.rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return compute(self, data, tick)

    monkeypatch.setattr(Explaining, "compute", small)
    computed = outcome(Worker(order), wanted(photos))
    assert [count for count, _ in computed.parts] == [2, 2]
    refused = outcome(Worker(replace(order, fixed=True)), wanted(photos))
    assert isinstance(refused, Refused) and "smaller --batch-size than 4" in refused.reason


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "0.0.1"}, "the run is of 0.0.1"),
        ({"weights": {"--lm": "12"}}, "--lm: the weights on"),
        ({"device": "cuda:99"}, "--device cuda:99"),
    ],
)
def test_a_machine_that_does_not_fit_refuses(
    order: Order, photos: Path, changes: dict[str, Any], message: str
) -> None:
    refused = outcome(Worker(replace(order, **changes)), wanted(photos))
    assert isinstance(refused, Refused) and message in refused.reason


def test_what_was_refused_before_stays_refused(order: Order) -> None:
    assert outcome(Worker(order), Refused("why")) == Refused("why")


def test_items_are_fetched_beside_the_store(db: Path, tmp_path: Path) -> None:
    class_id = queries.classes(open_read(db), 1)[0].id
    fetch = lambda engine, items: _fetch(False, engine, items)  # noqa: E731
    fetched = outcome(Fetcher(db, fetch), Wanted(1, [class_id]))
    assert fetched.count == 1 and fetched.items.captions
    missing = outcome(Fetcher(tmp_path / "none.db", fetch), Wanted(1, [class_id]))
    assert isinstance(missing, Refused) and "none.db" in missing.reason
