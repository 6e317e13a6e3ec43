import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from db.engine import finish, open_read, open_write
from db.errors import StoreError
from db.files import APPLICATION_ID
from db.migrations import upgrade
from db.migrations.steps import STEPS
from db.schema import SCHEMA_VERSION, Base

OLDEST = 1


def at(path: Path, version: int | None = None) -> Engine:
    """Open a file and bring it to a version, as a MapCap of that version would have made it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, version)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    return engine


def with_alembic_stamp(path: Path, version: int) -> None:
    """Make a file of a format that was stamped twice, with a run in it."""
    at(path, version).dispose()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.execute("INSERT INTO alembic_version VALUES (?)", (f"{version:04d}",))
        connection.execute(
            "INSERT INTO run (config_hash, config, preset, dataset, networks, versions, host, "
            "device, started, status, notes) "
            "VALUES ('old', '{}', 'mini', 'photos', '{}', '{}', 'host', 'cpu', 1.0, 'done', '[]')"
        )
    connection.close()


def shape(connection: Connection) -> dict[str, Any]:
    """Everything SQLite knows of the tables, whatever the order they were made in."""
    names = list(Base.metadata.tables)
    pragmas = ("table_xinfo", "foreign_key_list", "index_list")
    found: dict[str, Any] = {}
    for name in names:
        for pragma in pragmas:
            rows = connection.exec_driver_sql(f"PRAGMA {pragma}({name})").all()
            # The number of a key or an index says only when it was made.
            skip = 0 if pragma == "table_xinfo" else 1
            found[f"{name}.{pragma}"] = sorted(str(row[skip:]) for row in rows)
        for index in connection.exec_driver_sql(f"PRAGMA index_list({name})").all():
            columns = connection.exec_driver_sql(f"PRAGMA index_xinfo('{index[1]}')").all()
            found[f"{name}.{index[1]}"] = [str(column) for column in columns]
    return found


def statements(connection: Connection) -> dict[str, list[str]]:
    """The SQL of every table and index but the word index: its parts, in whatever order.

    The pragmas do not tell the names of constraints, nor of checks and collations.
    """
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'index') "
        "AND sql IS NOT NULL AND name NOT LIKE 'caption_fts%'"
    )
    return {name: parts(sql) for name, sql in rows}


def parts(sql: str) -> list[str]:
    """What stands between the commas of the outer brackets, and what stands around these."""
    plain = re.sub(r"\s+", " ", sql)
    before, _, rest = plain.partition("(")
    inner, _, after = rest.rpartition(")")
    # No comma of an inner bracket: those are followed by a closing bracket before an opening one.
    listed = re.split(r",(?![^()]*\))", inner)
    return sorted(part.strip() for part in (before, *listed, after))


def fresh() -> Engine:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine


def test_the_oldest_shape_upgrades_to_the_metadata(tmp_path: Path) -> None:
    at(tmp_path / "old.db", OLDEST).dispose()
    upgraded = at(tmp_path / "old.db")
    with upgraded.connect() as connection, fresh().connect() as wanted:
        assert statements(connection) == statements(wanted)
        assert shape(connection) == shape(wanted)
    upgraded.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE extra (id INTEGER)",
        "DROP TABLE word_score",
        "ALTER TABLE image ADD COLUMN extra TEXT",
        "ALTER TABLE image DROP COLUMN error",
        "ALTER TABLE image RENAME COLUMN error TO trouble",
        "DROP INDEX ix_image_class_id",
        "DROP INDEX ix_image_class_id; CREATE INDEX ix_image_class_id ON image (class_id, id)",
        "DROP INDEX ix_image_class_id; CREATE UNIQUE INDEX ix_image_class_id ON image (class_id)",
    ]
    + [
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET "
        f"sql = replace(sql, '{old}', '{new}') WHERE name = '{table}'"
        for table, old, new in (
            ("image", "path TEXT NOT NULL", "path TEXT"),
            ("image", "width INTEGER", "width FLOAT"),
            ("image", "uq_image_run_id_path", "uq_image"),
            ("image", "ON DELETE CASCADE", ""),
            ("class_name", "DEFAULT ''0''", "DEFAULT ''1''"),
            ("stage", "WITHOUT ROWID", ""),
        )
    ],
)
def test_the_comparison_notices(change: str) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, fresh().connect() as wanted:
        upgrade(connection)
        assert statements(connection) == statements(wanted)
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.executescript(change)
        assert statements(connection) != statements(wanted)


def test_the_version_of_the_schema_is_the_number_of_steps(engine: Engine) -> None:
    with engine.connect() as connection:
        stored = connection.execute(text("PRAGMA user_version")).scalar()
        tables = inspect(connection).get_table_names()
    assert stored == SCHEMA_VERSION == len(STEPS)
    assert not [name for name in tables if "version" in name]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_file_goes_through_each_version(version: int, tmp_path: Path) -> None:
    with at(tmp_path / "step.db", version).connect() as connection:
        assert connection.execute(text("PRAGMA user_version")).scalar() == version
    engine = at(tmp_path / "step.db")
    with engine.connect() as connection, fresh().connect() as wanted:
        assert connection.execute(text("PRAGMA user_version")).scalar() == SCHEMA_VERSION
        assert statements(connection) == statements(wanted)
    engine.dispose()


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_that_alembic_stamped_keeps_its_rows_and_loses_that_stamp(
    version: int, tmp_path: Path
) -> None:
    path = tmp_path / "stamped.db"
    with_alembic_stamp(path, version)
    engine = at(path)
    with engine.connect() as connection, fresh().connect() as wanted:
        assert connection.execute(text("SELECT config_hash FROM run")).scalars().all() == ["old"]
        assert connection.execute(text("PRAGMA user_version")).scalar() == SCHEMA_VERSION
        assert statements(connection) == statements(wanted)
    engine.dispose()


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_that_alembic_stamped_opens(version: int, tmp_path: Path) -> None:
    path = tmp_path / "stamped.db"
    with_alembic_stamp(path, version)
    if version < SCHEMA_VERSION:
        with pytest.raises(StoreError, match="mapcap upgrade"):
            open_read(path)
    assert finish(open_write(path))
    reader = open_read(path)
    with reader.connect() as connection:
        assert connection.execute(text("SELECT config_hash FROM run")).scalars().all() == ["old"]
    reader.dispose()


def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    path = tmp_path / "old.db"
    with_alembic_stamp(path, OLDEST)
    with sqlite3.connect(path) as before:
        wanted = list(before.iterdump())
    before.close()
    monkeypatch.setattr("db.migrations.STEPS", (*STEPS, fails))
    with pytest.raises(StoreError, match="lacks parts"):
        open_write(path)
    with sqlite3.connect(path) as after:
        assert list(after.iterdump()) == wanted
        assert after.execute("PRAGMA user_version").fetchone() == (OLDEST,)
    after.close()


def test_what_the_metadata_cannot_say_is_there_too(engine: Engine) -> None:
    with engine.connect() as connection:
        kinds = connection.execute(text("SELECT type, name FROM sqlite_schema")).all()
    triggers = {name for kind, name in kinds if kind == "trigger"}
    assert triggers == {"caption_fts_insert", "caption_fts_delete", "caption_fts_update"}
    assert ("table", "caption_fts") in [tuple(row) for row in kinds]


def test_every_reference_cascades_and_is_indexed(engine: Engine) -> None:
    inspector = inspect(engine)
    for table in Base.metadata.tables:
        leading = [tuple(index["column_names"])[:1] for index in inspector.get_indexes(table)]
        leading += [tuple(inspector.get_pk_constraint(table)["constrained_columns"])[:1]]
        leading += [tuple(u["column_names"])[:1] for u in inspector.get_unique_constraints(table)]
        with engine.connect() as connection:
            keys = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})").mappings().all()
        assert all(key["on_delete"] == "CASCADE" for key in keys), (table, keys)
        for key in inspector.get_foreign_keys(table):
            assert tuple(key["constrained_columns"]) in leading, (table, key)


def test_a_creation_that_is_killed_leaves_a_file_that_can_be_filled(tmp_path: Path) -> None:
    path = tmp_path / "half.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE run (id INTEGER)")
    connection.close()
    assert finish(open_write(path))
    open_read(path).dispose()


def test_steps_do_not_import_the_schema_they_must_outlive() -> None:
    files = [*Path(__file__).parents[2].glob("db/migrations/*.py")]
    assert {"steps.py", "r0001_first.py"} <= {file.name for file in files}
    for file in files:
        imported = re.findall(r"^\s*(?:from|import) (db\S*)", file.read_text(), re.MULTILINE)
        assert all(name.startswith("db.migrations.") for name in imported), file


def test_the_metrics_of_an_older_file_take_the_fields_names(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    with_alembic_stamp(path, 3)
    older = ("pointing", "pointing-ahead", "pointing-centred", "rho-map-spread-q", "nameless-top1")
    with sqlite3.connect(path) as connection:
        columns = "run_id, name, value, n"
        for name in older:
            connection.execute(f"INSERT INTO figure ({columns}) VALUES (1, ?, 0.5, 9)", (name,))
        connection.execute(
            "INSERT INTO stage (run_id, name, position, done, total, worked, seconds, status) "
            "VALUES (1, 'quality', 5, 3, 3, 3, 1.0, 'done')"
        )
    connection.close()
    engine = open_write(path)
    with engine.connect() as stored:
        names = set(stored.scalars(text("SELECT name FROM figure")))
        (stage,) = stored.scalars(text("SELECT name FROM stage"))
    finish(engine)
    assert names == {
        "pointing",
        "pointing-gain",
        "pointing-centre-prior",
        "rho-map-entropy-q",
        "nameless-retrieval-top1",
    }
    assert stage == "evaluation"
