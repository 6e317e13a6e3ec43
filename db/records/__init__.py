"""What the store hands out: frozen records, never ORM objects.

Ids are the store's own; `class_id` refers to `ClassName.id`, not to the class's position in the
logits. Boxes are x0, y0, x1, y1 in pixels of the original image.
"""

from db.records.audit import ClassAudit, ErrorWord, Figure, Finding, FindingKind
from db.records.classes import ClassName, Confusion, TokenRelevance
from db.records.pictures import (
    ROLES,
    Box,
    Codes,
    Image,
    Place,
    Region,
    RegionTask,
    Relevance,
    Role,
    Show,
    StoredImage,
    TopClass,
    Vectors,
)
from db.records.runs import Lease, Run, RunCounts, RunStatus, RunTotals, Stage, StageStatus
from db.records.words import (
    CaptionContrast,
    CaptionHit,
    ClassCaption,
    Pmi,
    Sentence,
    Summary,
    WordScore,
)

__all__ = [
    "ROLES",
    "Box",
    "CaptionContrast",
    "CaptionHit",
    "ClassAudit",
    "ClassCaption",
    "ClassName",
    "Codes",
    "Confusion",
    "ErrorWord",
    "Figure",
    "Finding",
    "FindingKind",
    "Image",
    "Lease",
    "Place",
    "Pmi",
    "Region",
    "RegionTask",
    "Relevance",
    "Role",
    "Run",
    "RunCounts",
    "RunStatus",
    "RunTotals",
    "Sentence",
    "Show",
    "Stage",
    "StageStatus",
    "StoredImage",
    "Summary",
    "TokenRelevance",
    "TopClass",
    "Vectors",
    "WordScore",
]
