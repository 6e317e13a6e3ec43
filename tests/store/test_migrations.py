import re
import sqlite3
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from db.engine import finish, open_read, open_write
from db.migrations import config, upgrade
from db.schema import SCHEMA_VERSION, Base

OLDEST = "0001"


def at(path: Path, revision: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, revision)
    return engine


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


def test_the_oldest_shape_upgrades_to_the_metadata(tmp_path: Path) -> None:
    at(tmp_path / "old.db", OLDEST).dispose()
    upgraded = at(tmp_path / "old.db", "head")
    fresh = create_engine("sqlite://")
    Base.metadata.create_all(fresh)
    with upgraded.connect() as connection, fresh.connect() as wanted:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_object": lambda _o, name, kind, *_: (
                    kind != "table" or not name.startswith(("caption_fts", "alembic_"))
                ),
            },
        )
        assert compare_metadata(context, Base.metadata) == []
        assert shape(connection) == shape(wanted)
    upgraded.dispose()


def test_the_newest_step_carries_the_version_of_the_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(config(connection))
        assert script.get_heads() == [f"{SCHEMA_VERSION:04d}"]
        steps = [step.revision for step in script.walk_revisions()]
        stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert steps[-1] == OLDEST
    assert len(steps) == SCHEMA_VERSION
    assert stored == f"{SCHEMA_VERSION:04d}"


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
        for key in inspector.get_foreign_keys(table):
            assert key["options"]["ondelete"] == "CASCADE", (table, key)
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
    for step in Path(__file__).parents[2].glob("db/migrations/versions/r*.py"):
        assert not re.search(r"^\s*(from|import) db\b", step.read_text(), re.MULTILINE)
