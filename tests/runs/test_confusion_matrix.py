"""The matrix of a run's confusions."""

import sqlite3
from contextlib import closing
from pathlib import Path

from db.engine import finish, open_read, open_write
from mapcap.runs.confusion_matrix import read_matrix
from tests.stores import Photo, write_run


def test_confusions_with_classes_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    run = write_run(
        open_write(tmp_path / "run.db"),
        {
            name: [Photo(path=f"{name}/{i}.jpg", predicted=1 - place) for i in range(2)]
            for place, name in enumerate(("tabby", "lynx"))
        },
    )
    assert read_matrix(run.engine, run.run_id, 24).counts.sum() == 4
    finish(run.engine)
    with closing(sqlite3.connect(run.path)) as connection, connection:
        changed = connection.execute(
            "UPDATE prediction SET predicted_class_id = 99 WHERE image_id IN "
            "(SELECT id FROM image WHERE path LIKE 'tabby%')"
        )
        assert changed.rowcount == 2
        connection.execute("UPDATE confusion SET predicted_class_id = 99 WHERE class_id = 1")
    matrix = read_matrix(open_read(run.path), run.run_id, 24)
    assert matrix.counts.sum() == 2
