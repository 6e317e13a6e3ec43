"""What ways to tamper with a store share: its tables, and values of any type put into them."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the tables, without those of the index of the words."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return sorted(name for (name,) in rows if not name.startswith(("caption_fts", "sqlite_")))


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the names of a table's columns."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [name for (name,) in rows]


def opened(file: Path) -> sqlite3.Connection:
    """Return a connection that writes at once, and flushes nothing."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def assign(file: Path, table: str, column: str, value: object, where: str) -> None:
    """Set a column to a value of any type: its type and constraints are away for the moment."""
    bare = (" INTEGER", " FLOAT", " TEXT", " BOOLEAN", " BLOB", " REAL", " NOT NULL", ", STRICT")
    find = "SELECT sql FROM sqlite_master WHERE name = ?"
    store = "UPDATE sqlite_master SET sql = ? WHERE name = ? AND type = 'table'"
    with closing(opened(file)) as connection:
        (sql,) = connection.execute(find, (table,)).fetchone()
        loose = sql
        for word in bare:
            loose = loose.replace(word, "")
        # An integer key is the row's number: it stays one.
        keyed = "id INTEGER NOT NULL" if sql.count("id INTEGER NOT NULL") else ""
        loose = loose.replace("\n    id,", "\n    id INTEGER,") if keyed else loose
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(store, (loose, table))
    try:
        with closing(opened(file)) as connection:
            connection.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = ? {where}', (value,))
    except sqlite3.Error:
        pass  # a key that may not be so
    with closing(opened(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(store, (sql, table))


def somewhere(file: Path, chance: random.Random) -> tuple[str, str, str]:
    """Return a table, one of its columns, and which of its rows: all of them, or some."""
    with closing(opened(file)) as connection:
        tables = tables_of(connection)
        table = chance.choice(tables)
        column = chance.choice(columns_of(connection, table))
    every = "" if chance.random() < 0.7 else "WHERE random() % 3 = 0"
    return table, column, every


def one_of(file: Path, table: str, column: str, chance: random.Random) -> str:
    """Return a text of a column."""
    with closing(opened(file)) as connection:
        rows = connection.execute(f'SELECT "{column}" FROM "{table}"').fetchall()
    return str(chance.choice(rows)[0]) if rows else "nothing"
