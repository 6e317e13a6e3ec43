"""What a file is made of: our tables are tables, and no trigger runs but ours.

SQLite runs whatever a file's schema says: a view in place of a table may have endless rows, a
generated column a value of any size, and a trigger runs with the rights of whoever writes. So the
schema is looked at before anything of a file is read or written.
"""

import sqlite3
from pathlib import Path
from typing import Final

from db.errors import StoreError

# The tables that are read, of any format: what bears one of these names is to be a table.
TABLES: Final = frozenset(
    """run stage lease class_name class_text image thumbnail image_embedding prediction
    prediction_top witness confusion relevance region embedding embedding_block caption
    region_caption class_caption pmi summary summary_sentence word_score class_audit finding
    finding_image finding_region error_word figure class_figure image_figure
    caption_fts_data caption_fts_idx caption_fts_docsize caption_fts_config""".split()
)
WORD_INDEX: Final = "caption_fts"
# What the index and its triggers are, without blanks: see `db.migrations.r0001_first`.
_WORD_INDEX_SQL: Final = (
    "createvirtualtablecaption_ftsusingfts5(text,content='caption',content_rowid='id',"
    "tokenize='unicode61remove_diacritics2')"
)
TRIGGERS: Final = {
    "caption_fts_insert": "createtriggercaption_fts_insertafterinsertoncaptionbegin"
    "insertintocaption_fts(rowid,text)values(new.id,new.text);end",
    "caption_fts_delete": "createtriggercaption_fts_deleteafterdeleteoncaptionbegin"
    "insertintocaption_fts(caption_fts,rowid,text)values('delete',old.id,old.text);end",
    "caption_fts_update": "createtriggercaption_fts_updateafterupdateoftextoncaptionbegin"
    "insertintocaption_fts(caption_fts,rowid,text)values('delete',old.id,old.text);"
    "insertintocaption_fts(rowid,text)values(new.id,new.text);end",
}
_MOST_OBJECTS: Final = 10_000
_GENERATED: Final = (2, 3)


def check_shape(file: Path, connection: sqlite3.Connection) -> None:
    """Raise StoreError, naming the part, where a file's schema is not what MapCap makes.

    Tables, views and indexes of other names are somebody's own and left alone.
    """
    objects = connection.execute(
        "SELECT type, name, rootpage, sql FROM sqlite_master LIMIT ?", (_MOST_OBJECTS + 1,)
    ).fetchall()
    if len(objects) > _MOST_OBJECTS:
        raise StoreError(f"{file} has over {_MOST_OBJECTS:,} tables: it is not as MapCap made it")
    for kind, name, page, sql in objects:
        wrong = _wrong(str(kind), str(name).lower(), page, str(sql))
        if wrong:
            raise _strange(file, wrong)
    for name in sorted(TABLES & {str(name).lower() for _, name, _, _ in objects}):
        for *_, column, hidden in connection.execute(
            "SELECT name, hidden FROM pragma_table_xinfo(?)", (name,)
        ):
            if hidden in _GENERATED:
                raise _strange(file, f"the column {name}.{column} is computed")


def _wrong(kind: str, name: str, page: object, sql: str) -> str:
    """Return what is wrong with a part of a schema, or nothing."""
    plain = "".join(sql.lower().split())
    if kind == "trigger":
        ours = TRIGGERS.get(name) == plain
        return "" if ours else f"the trigger {name} is not MapCap's"
    if name == WORD_INDEX:
        ours = kind == "table" and plain == _WORD_INDEX_SQL
        return "" if ours else f"{name} is not the index of the words"
    if name in TABLES and (kind != "table" or not page):
        # A virtual table has no page of its own.
        return f"{name} is a {'virtual table' if kind == 'table' else kind}, not a table"
    return ""


def _strange(file: Path, wrong: str) -> StoreError:
    return StoreError(
        f"{file} is not as MapCap made it: {wrong}. Ask whoever sent it for the original file"
    )
