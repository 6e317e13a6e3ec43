"""What a file holds of its newest run that a test bed is scored by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from db import queries
from db.engine import open_read
from mapcap.errors import UserError
from scripts.planted.reported import Reported

_EVERY_IMAGE: Final = 10**6


@dataclass(frozen=True)
class Audited:
    """A run that was audited: its findings by class, the first first, and its images by path.

    `correct` are the images that were predicted, and whether each was predicted as its class.
    """

    engine: Engine
    findings: dict[str, list[Reported]]
    ids: dict[str, int]
    correct: dict[str, bool]

    @property
    def accuracy(self) -> float | None:
        """The share of the predicted images that are correct."""
        return sum(self.correct.values()) / len(self.correct) if self.correct else None


def read_audited(db: Path) -> Audited:
    """Read the newest run of a file.

    Raises:
        StoreError: for a file that cannot be used.
        UserError: for a run that was not audited.
    """
    engine = open_read(db)
    run = queries.latest_run(engine)
    if queries.pending_audit(engine, run.id):
        raise UserError(f"{db}: not every class was audited: run its `mapcap index` again")
    audited = Audited(engine, {}, {}, {})
    for each in queries.classes(engine, run.id):
        images = queries.images(engine, each.id, limit=_EVERY_IMAGE)
        audited.ids.update({image.path: image.id for image in images})
        audited.correct.update(
            {image.path: image.correct for image in images if image.correct is not None}
        )
        audited.findings[each.name] = _findings(engine, each.id)
    return audited


def _findings(engine: Engine, class_id: int) -> list[Reported]:
    return [
        Reported(
            finding.kind,
            finding.title,
            finding.figures,
            [i.path for i in queries.finding_images(engine, finding.id, limit=_EVERY_IMAGE)],
            finding.is_note,
            finding.subject,
        )
        for finding in queries.findings(engine, class_id)
    ]
