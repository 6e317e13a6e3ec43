"""What the screens share: the store, the run that is looked at, and the verdicts on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widget import Widget

from db import queries
from db.queries import loading
from db.records import ClassName, Finding, Image, Run, Stage, Summary
from db.verdicts import (
    FindingName,
    Kind,
    Mark,
    Verdict,
    Verdicts,
    name_of_finding,
    read_verdicts,
    remove_verdicts,
    verdict_on_finding,
    write_verdicts,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

Marks = Verdicts
Pulse = tuple[object, ...]


@dataclass
class Opened:
    """An opened store and one of its runs; the methods that read or write belong in workers."""

    path: Path
    run: Run
    verdicts: Path
    picture: type[Widget]
    meaning: Callable[[str], str]
    newer: int | None = None
    """A run that began later and was not finished when the file was opened."""
    marks: Marks = field(default_factory=dict)
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The connections to the store, made at the first use; StoreError as of `open_read`."""
        with loading:
            if self._engine is None:
                # Brings SQLAlchemy, which the first screen does not wait for.
                from db.engine import open_read

                self._engine = open_read(self.path)
            return self._engine

    @property
    def representation(self) -> str:
        """The representation that the run's regions are embedded under."""
        return self.run.representation

    @property
    def photos(self) -> str | None:
        """The folder that the photos were read from."""
        folder = self.run.config.get("photos")
        return folder if isinstance(folder, str) else None

    def at(self, run: Run) -> Opened:
        """Return another run of the file, without verdicts: they are read when it is turned to."""
        return self if run.id == self.run.id else replace(self, run=run, marks={}, newer=None)

    def pulse(self) -> Pulse:
        """Return what changes when the job writes: cheap to read, compared every few seconds."""
        run = queries.run(self.engine, self.run.id)
        return pulse_of(run, queries.stages(self.engine, self.run.id))

    def summary(self, class_id: int) -> Summary | None:
        """Return the stored summary of a class that the run shows first."""
        stored = queries.summaries(self.engine, class_id)
        if not stored:
            return None
        config = self.run.config
        wanted = [pair for pair in stored if pair == (config.get("sentences"), pair[1])]
        exact = [pair for pair in wanted if pair[1] == config.get("redundancy")]
        k, redundancy = (exact or wanted or stored)[-1]
        return queries.summary(self.engine, class_id, k, redundancy)

    def read_marks(self) -> Marks:
        """Return the verdicts on this run."""
        return read_verdicts(self.verdicts, self.run.config_hash)

    def mark(
        self,
        kind: Kind,
        names: Sequence[str],
        mark: Mark | None,
        note: str,
        right_label: str | None = None,
        title: str | None = None,
    ) -> Marks:
        """Store one verdict on some things, or take theirs back (None); return all of the run.

        `title` is that of a finding: what an older file says of it goes as well.
        """
        run_hash, made = self.run.config_hash, datetime.now(UTC)
        if mark is None:
            remove_verdicts(self.verdicts, run_hash, kind, *names, *([title] if title else []))
        else:
            write_verdicts(
                self.verdicts,
                *(
                    Verdict(run_hash, kind, name, mark, note, made, right_label, title)
                    for name in names
                ),
            )
        return self.read_marks()

    def marked(self, class_id: int) -> list[tuple[Mark, int]]:
        """Return the verdicts on images of a class, with the ids of the images."""
        marks = {
            name: verdict.mark for (kind, name), verdict in self.marks.items() if kind == "image"
        }
        placed = queries.locate_images(self.engine, self.run.id, marks) if marks else {}
        return [
            (marks[path], number) for path, (number, owner) in placed.items() if owner == class_id
        ]

    def of_image(self, image: Image) -> Verdict | None:
        """Return the verdict on an image."""
        return self.marks.get(("image", image.path))

    def of_finding(self, label: str, finding: Finding) -> Verdict | None:
        """Return the verdict on a finding of the class called `label`."""
        return verdict_on_finding(self.marks, finding_name(label, finding))

    def of_class(self, record: ClassName) -> Verdict | None:
        """Return the verdict on a class."""
        return self.marks.get(("class", record.label))


def finding_name(label: str, finding: Finding) -> FindingName:
    """Return what verdicts call a finding of the class called `label`."""
    return name_of_finding(label, finding.kind, finding.subject, finding.title)


def pulse_of(run: Run, stages: Sequence[Stage]) -> Pulse:
    """Return what tells one state of a run from the next."""
    return (run.status, run.finished, *((s.name, s.done, s.total, s.status) for s in stages))
