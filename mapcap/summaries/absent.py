"""Why a class has no summary: the run is on its way, or there is nothing that it could be of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db import queries
from db.records import ClassName, Run

if TYPE_CHECKING:  # the app's first screen does not wait for it
    from sqlalchemy import Engine

_OTHER_METHOD = "mapcap index --relevance value or occlusion may see something"


def why_no_summary(engine: Engine, run: Run, record: ClassName) -> str:
    """Return why a class of a run has no sentence, in a line, with what can be done about it."""
    if run.status != "done":
        return "no summary yet: `mapcap status` shows how far the run is"
    if not record.readable:
        return "no summary: no image of the class could be read"
    maps, empty = queries.map_counts(engine, record.id)
    if maps and empty == maps:
        return (
            f"no summary: all {maps:,} maps of the class are zero everywhere, so there is no "
            f"region to caption; {_OTHER_METHOD}"
        )
    if not record.distinct_captions:
        return "no summary: no region of the class has a caption"
    return (
        f"no summary: none of the class's {record.distinct_captions:,} captions may stand in one; "
        "--keep-artefact-captions lets in those that describe the image"
    )
