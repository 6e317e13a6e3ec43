"""A store whose rows, tables, triggers or indexes are not those that MapCap made."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from scripts.prove._tampering import columns_of, opened, tables_of

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


def change_rows(file: Path, chance: random.Random) -> None:
    """Leave rows out, and let others refer to what is not there or to one another."""
    with closing(opened(file)) as connection:
        for _ in range(chance.choice((1, 1, 2, 5))):
            table = chance.choice(tables_of(connection))
            some = f"WHERE random() % {chance.choice((1, 2, 5))} = 0"
            ids = [name for name in columns_of(connection, table) if name.endswith("_id")]
            try:
                if not ids or chance.random() < 0.5:
                    connection.execute(f'DELETE FROM "{table}" {some}')
                else:
                    number = chance.choice((0, 1, 2, 3, 99, -1, 2**63 - 1))
                    connection.execute(
                        f'UPDATE OR IGNORE "{table}" SET "{chance.choice(ids)}" = ? {some}',
                        (number,),
                    )
            except sqlite3.Error:
                continue  # a key that may not be so


def change_schema(file: Path, chance: random.Random) -> None:
    """Put views, triggers, virtual tables and computed columns where tables are, or none at all."""
    with closing(opened(file)) as connection:
        table = chance.choice(tables_of(connection))
        columns = columns_of(connection, table)
        values = ", ".join(f'i AS "{name}"' for name in columns)
        run = connection.execute
        way = chance.randrange(12)
        if way == 0:
            run(f'DROP TABLE "{table}"')
            run(f'CREATE VIEW "{table}" AS {_ENDLESS} {values} FROM n')
        elif way == 1:
            run(f'ALTER TABLE "{table}" RENAME TO kept')
            run(f'CREATE VIEW "{table}" AS SELECT * FROM kept, ({_ENDLESS} i FROM n)')
        elif way == 2:
            event = chance.choice(("INSERT", "UPDATE", "DELETE"))
            run(f'CREATE TRIGGER x AFTER {event} ON "{table}" BEGIN DELETE FROM prediction; END')
        elif way == 3:
            run("DROP TRIGGER caption_fts_update")
            run(
                "CREATE TRIGGER caption_fts_update AFTER UPDATE OF text ON caption BEGIN "
                "DELETE FROM prediction; END"
            )
        elif way == 4:
            run(
                f'ALTER TABLE "{table}" ADD COLUMN made '
                "GENERATED ALWAYS AS (hex(zeroblob(300000000))) VIRTUAL"
            )
        elif way == 5:
            run(f'ALTER TABLE "{table}" RENAME TO "{table} x"')
        elif way == 6:
            old = chance.choice(columns)
            run(f'ALTER TABLE "{table}" RENAME COLUMN "{old}" TO "other"')
        elif way == 7:
            run(f'DROP TABLE "{table}"')
        elif way == 8:
            run(f"PRAGMA user_version = {chance.choice((0, 1, 2, 5, 8, 99, -1, 2**31 - 1))}")
        elif way == 9:
            run(f"PRAGMA application_id = {chance.choice((0, 1, -1))}")
        elif way == 10:
            run("DROP TABLE caption_fts")
            run("CREATE VIRTUAL TABLE caption_fts USING fts5(text)")
        else:
            run("PRAGMA writable_schema = ON")
            what = chance.choice(("'\x1b[31m'", "NULL", "x'ff'", "'CREATE TABLE x(y)'", "7"))
            column = chance.choice(("sql", "name", "tbl_name", "type", "rootpage"))
            run(f"UPDATE sqlite_master SET {column} = {what} WHERE name = ?", (table,))


def spoil_index(file: Path, chance: random.Random) -> None:
    """Spoil the index of the words, or leave the indexes of the tables out."""
    with closing(opened(file)) as connection:
        if chance.random() < 0.5:
            part = chance.choice(("caption_fts_data", "caption_fts_docsize", "caption_fts_config"))
            column = columns_of(connection, part)[-1]
            connection.execute(f"UPDATE {part} SET {column} = ?", (chance.randbytes(20),))
            return
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
        for (name,) in rows:
            if not name.startswith("sqlite_"):
                connection.execute(f'DROP INDEX "{name}"')
