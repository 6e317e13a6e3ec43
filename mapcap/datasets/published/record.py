"""What a fetch noted of itself, in the folder that it works in."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

WORK: Final = ".mapcap-fetch"
"""The folder, in the data set's own, in which everything happens before the last step."""
LOCK: Final = "lock"
_RECORD: Final = "record.json"
_FRESH: Final = f"{_RECORD}.new"


@dataclass(frozen=True)
class Source:
    """An archive as it came."""

    place: str
    bytes: int
    sha256: str
    checked: bool
    """Whether it has the checksum that is published for it."""


@dataclass(frozen=True)
class Fetched:
    """A data set in a folder, as its record says."""

    dataset: str
    classes: str
    step: str = "begun"
    """`begun`, `unpacked` (what is unpacked is being moved to its place) or `done`."""
    images: int = 0
    sources: tuple[Source, ...] = ()


def is_ours(work: Path) -> bool:
    """Tell whether a folder without a record is none yet, or was left before there was one."""
    if work.is_symlink() or not work.is_dir():
        return not work.exists()
    return {entry.name for entry in work.iterdir()} <= {LOCK, _FRESH}


def read_record(work: Path) -> Fetched | None:
    """Return what is noted, None where nothing is or it is damaged."""
    try:
        values: dict[str, Any] = json.loads((work / _RECORD).read_text("utf-8"))
        sources = tuple(Source(**each) for each in values.pop("sources"))
        return Fetched(**values, sources=sources)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_record(work: Path, fetched: Fetched) -> Fetched:
    """Note it, and return it."""
    fresh = work / _FRESH
    fresh.write_text(json.dumps(asdict(fetched), indent=1), "utf-8")
    fresh.replace(work / _RECORD)
    return fetched
