"""What can be exported: flat tables, whose rows are named by what people know instead of by ids.

The columns are stable: later versions may add some at the end, and take none away.
"""

from typing import Final

from db.queries.export_tables.classes import captions, classes, findings, summaries
from db.queries.export_tables.columns import Column, Kind, Table
from db.queries.export_tables.photos import images, regions

__all__ = ["TABLES", "Column", "Kind", "Table"]

TABLES: Final[dict[str, Table]] = {
    "classes": classes(),
    "images": images(),
    "regions": regions(),
    "captions": captions(),
    "summaries": summaries(),
    "findings": findings(),
}
