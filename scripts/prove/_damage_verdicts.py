"""A file of verdicts beside a store that is damaged, hostile, or none."""

import random
from datetime import UTC, datetime
from pathlib import Path

from db.verdicts import MARKS, Kind, Verdict, beside, write_verdicts
from scripts.prove._damage_bytes import cut, flip_bytes
from scripts.prove._damage_values import TEXTS, set_number, set_value
from scripts.prove._tampering import one_of


def lay_verdicts(file: Path, chance: random.Random) -> None:
    """Lay verdicts on what the store has beside it, and damage that file most times."""
    place = beside(file)
    run_hash = one_of(file, "run", "config_hash", chance)
    about: tuple[tuple[Kind, str, str], ...] = (
        ("image", "image", "path"),
        ("class", "class_name", "label"),
        ("finding", "finding", "title"),
    )
    for kind, table, column in about:
        name = one_of(file, table, column, chance)
        mark, text = chance.choice(MARKS[kind]), chance.choice(TEXTS)
        write_verdicts(
            place, Verdict(run_hash, kind, name, mark, text, datetime.now(UTC), text, text)
        )
    chance.choice((set_value, set_number, flip_bytes, cut, lambda *_: None))(place, chance)
