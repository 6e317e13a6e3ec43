"""A class without a summary says why: too early, unreadable, blank maps, or nothing to choose."""

import re
from pathlib import Path

import numpy as np
import pytest

from db import queries, writes
from db.engine import open_write
from mapcap.summaries.absent import why_no_summary
from tests.stores import GRIDS, Photo, write_run

SAID = Photo(path="a/1.jpg", captions={"true": ["a black background."]})
MUTE = Photo(path="a/1.jpg")
GONE = Photo(path="a/1.jpg", error="cut off")
BLANK = {"true": np.zeros((4, 4), np.float32)}


@pytest.mark.parametrize(
    ("photo", "grids", "done", "says"),
    [
        (MUTE, GRIDS, False, "no summary yet: `mapcap status`"),
        (GONE, GRIDS, True, "no image of the class could be read"),
        (MUTE, BLANK, True, "all 1 maps of the class are zero everywhere.*--relevance value"),
        (MUTE, GRIDS, True, "no region of the class has a caption"),
        (SAID, GRIDS, True, "none of the class's 1 captions may.*--keep-artefact-captions"),
    ],
)
def test_the_true_reason_is_said(tmp_path: Path, photo, grids, done, says) -> None:
    engine = open_write(tmp_path / "x.db")
    run = write_run(engine, {"a": [photo], "b": [Photo(path="b/1.jpg")]}, grids=grids)
    if done:
        writes.set_status(engine, run.run_id, "done")
    record = queries.class_record(engine, run.ids[0])
    told = why_no_summary(engine, queries.run(engine, run.run_id), record)
    assert re.search(says, told), told


def test_blank_maps_are_counted_by_class(tmp_path: Path) -> None:
    engine = open_write(tmp_path / "x.db")
    grids = dict(GRIDS)
    grids["true"] = BLANK["true"]
    photos = {"a": [Photo(path="a/1.jpg"), Photo(path="a/2.jpg", predicted=1)]}
    run = write_run(engine, photos | {"b": [Photo(path="b/1.jpg")]}, grids=grids)
    assert queries.map_counts(engine, run.ids[0]) == (4, 2)
    assert queries.map_counts(engine, run.ids[1]) == (1, 1)
