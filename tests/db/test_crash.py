"""A job may be killed at any moment: the file stays valid and the same job goes on."""

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from db import queries, writes
from db.engine import finish, open_read, open_write
from db.rows import NewImage, NewPrediction

BATCH = 20

JOB = f"""
import sys
import numpy as np
from db import queries, writes
from db.rows import *
from db.engine import open_write, writing

roles = 'true', 'predicted', 'contrast'
engine = open_write(sys.argv[1])
spec = RunSpec("hash-1", {{}}, "mini", "photos", {{}}, {{}}, "host", "cpu")
run_id = writes.start_run(engine, spec)
[one, two] = writes.add_classes(engine, run_id, [NewClass(0, "a", "a"), NewClass(1, "b", "b")])
print("begun", flush=True)
mask = np.ones((4, 4), dtype=bool)
for batch in range(100_000):
    paths = [f"{{batch}}/{{i}}.jpg" for i in range({BATCH})]
    new = [NewImage(p, one, p, thumbnail=b"x" * 2000) for p in paths]
    with writing(engine) as whole:
        ids = writes.add_images(whole, run_id, new)
        said = [(two, 0.9, 1.0), (one, 0.1, 0.0)]
        writes.add_predictions(whole, [NewPrediction(i, said, 0.1, 2, -1.0) for i in ids])
        maps = [NewRelevance(i, r, one, np.ones((4, 4))) for i in ids for r in roles]
        region = NewRegion((0, 0, 1, 1), 1.0, 1.0, mask, mask)
        maps = writes.add_relevance(whole, maps)
        regions = writes.add_regions(whole, [NewRegions(m, [region]) for m in maps])
        writes.add_embeddings(whole, "pooled", regions, np.ones((len(regions), 4)))
    regions = queries.pending_captions(engine, run_id)
    writes.add_captions(engine, run_id, [NewCaption(r, f"text {{r}}", 2, -1.0) for r in regions])
    print(batch, flush=True)
"""


def check(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.execute("INSERT INTO caption_fts (caption_fts, rank) VALUES ('integrity-check', 1)")
    connection.rollback()
    connection.close()


@pytest.mark.parametrize("wait", [0.0, 0.013, 0.037])
def test_a_killed_job_leaves_a_valid_file_that_goes_on(tmp_path: Path, wait: float) -> None:
    path = tmp_path / "killed.db"
    for batches in (1, 3):
        with subprocess.Popen(
            [sys.executable, "-c", JOB, str(path)], stdout=subprocess.PIPE, text=True
        ) as job:
            assert job.stdout is not None
            for _ in range(1 + batches):
                assert job.stdout.readline()
            time.sleep(wait)
            job.send_signal(signal.SIGKILL)
            assert job.wait() == -signal.SIGKILL
        # A reader opens what the killed job left, with its journal.
        reader = open_read(path)
        run = queries.latest_run(reader)
        assert run.status == "running"
        assert queries.counts(reader, run.id).regions >= BATCH
        reader.dispose()
        check(path)
    engine = open_write(path)
    # Batches are whole or absent.
    stored = queries.stored_images(engine, run.id, "pooled")
    whole = {path for path, image in stored.items() if image.whole}
    with engine.connect() as connection:
        paths = connection.execute(text("SELECT path FROM image")).scalars().all()
    assert set(paths) == whole and len(paths) % BATCH == 0
    one, two = (found.id for found in queries.classes(engine, run.id))
    new = [NewImage(f"{path}", one, "d") for path in ("x", "y")]
    left = writes.add_images(engine, run.id, new)
    said = [NewPrediction(i, [(one, 0.9, 1.0), (two, 0.1, 0.0)], 0.9, 1, 1.0) for i in left]
    writes.add_predictions(engine, said)
    writes.aggregate_accuracy(engine, run.id)
    assert queries.counts(engine, run.id).predicted == len(whole) + 2
    assert finish(engine)
    check(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["killed.db"]
