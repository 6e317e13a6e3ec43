"""A small store whose every figure can be counted by hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from db.engine import finish, open_write
from db.rows import NewRegion, RunSpec
from mapcap.summaries.selection import Selected
from tests.stores import Photo, StoredRun, copy_run, make_region, make_spec, summarize, write_run


@pytest.fixture
def spec() -> RunSpec:
    return make_spec()


@pytest.fixture
def region() -> NewRegion:
    return make_region()


class Store(StoredRun):
    """A filled store: three classes, seven images, of which one is unreadable."""

    @property
    def tabby(self) -> int:
        return self.ids[0]

    @property
    def lynx(self) -> int:
        return self.ids[1]

    @property
    def crane(self) -> int:
        return self.ids[2]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_write(tmp_path / "new.db")
    yield opened
    opened.dispose()


def photo(
    path: str,
    predicted: int,
    true_probability: float,
    true_rank: int,
    margin: float,
    *captions: str,
) -> Photo:
    return Photo(
        path=path,
        predicted=predicted,
        top=[(predicted, 0.6, 5.0), ((predicted + 1) % 3, 0.3, 4.0)],
        true_probability=true_probability,
        true_rank=true_rank,
        margin=margin,
        captions={"true": captions},
        box=(1.0, 2.0, 3.0, 4.0) if path == "tabby/1.jpg" else None,
        thumbnail=b"RIFF" + path.encode(),
    )


CLASSES = {
    "tabby": [
        photo("tabby/1.jpg", 0, 0.9, 1, 3.0, "a grey cat.", "green leaves."),
        photo("tabby/2.jpg", 1, 0.3, 2, -1.0, "a grey cat.", "a grey cat."),
        photo("tabby/3.jpg", 1, 0.2, 2, -2.0, "a Café chair."),
        photo("tabby/4.jpg", 2, 0.1, 3, -2.0, "."),
    ],
    "lynx": [
        photo("lynx/1.jpg", 1, 0.8, 1, 2.0, "a grey cat."),
        photo("lynx/2.jpg", 1, 0.7, 1, 1.0),
        Photo(path="lynx/broken.jpg", error="not a picture"),
    ],
    "crane": [],
}
WEAK = np.arange(16, dtype=np.float32).reshape(4, 4) * 1e-7
CHOSEN = [Selected(0, 3.0, 0.0, 3.0), Selected(1, 2.0, 0.5, 1.5)]


@pytest.fixture(scope="session")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Store:
    run = write_run(
        open_write(tmp_path_factory.mktemp("counted") / "store.db"),
        CLASSES,
        labels=("n01", "n02", "n03"),
        grids={"true": WEAK, "predicted": WEAK},
        width=3,
    )
    store = Store(run.engine, run.path, run.run_id, run.ids, run.paths, run.images)
    summarize(
        store,
        store.tabby,
        lengths=(1, 2),
        matrix=lambda n: np.arange(n * n, dtype=np.float32).reshape(n, n),
        choose=lambda matrix, counts, k: CHOSEN[:k],
    )
    finish(store.engine)
    return store


@pytest.fixture
def store(counted: Store, tmp_path: Path) -> Iterator[StoredRun]:
    copy = copy_run(counted, tmp_path / "store.db")
    yield copy
    copy.engine.dispose()
