"""Ways to damage a store, or to tamper with it: each changes a file in place, by chance."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.prove._damage_bytes import break_page, cut, flip_bytes, lay_wal
from scripts.prove._damage_schema import change_rows, change_schema, spoil_index
from scripts.prove._damage_values import (
    set_blob,
    set_json,
    set_number,
    set_texts,
    set_value,
)
from scripts.prove._damage_verdicts import lay_verdicts

Damage = Callable[[Path, random.Random], None]

DAMAGES: Mapping[str, Damage] = {
    "bytes": flip_bytes,
    "page": break_page,
    "cut": cut,
    "value of another type": set_value,
    "number out of range": set_number,
    "hostile text": set_texts,
    "JSON of another shape": set_json,
    "blob of another shape": set_blob,
    "rows and references": change_rows,
    "schema": change_schema,
    "indexes": spoil_index,
    "WAL": lay_wal,
    "verdicts": lay_verdicts,
}
