"""A file that `mapcap index` filled, opened from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from db import queries
from db.engine import open_read
from db.records import (
    ClassCaption,
    ClassName,
    Finding,
    Image,
    Region,
    Role,
    Run,
    Summary,
)
from mapcap.config import IndexConfig
from mapcap.errors import UserError, closest
from mapcap.export.rows import NAMES, chunks, columns, read_marks
from mapcap.notebook.tables import frame
from mapcap.overlay import STRENGTH, decode, original, overlay, square
from mapcap.runs.lookup import find_class, find_image
from mapcap.summaries.stored import read_summary

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from db.records import Show


def open(db: str | Path, run: int | None = None) -> Store:
    """Open a file read-only, at its newest run or at the one of that number.

    Raises:
        StoreError: for a file that cannot be used, or a run that it does not have.
    """
    return Store(db, run)


class Store:
    """A run of a file: its records, its tables, and its pictures with where the model looks.

    Classes are named by name or label, images by path or its end. Names that are not there raise
    `UserError` with the nearest ones.
    """

    def __init__(self, db: str | Path, run: int | None = None) -> None:
        self._db = Path(db)
        self._engine = open_read(db)
        self.run: Run = (
            queries.latest_run(self._engine) if run is None else queries.run(self._engine, run)
        )
        """The run that is read."""

    def __enter__(self) -> Store:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        return f"<mapcap.Store {self._db}, run {self.run.id} ({self.run.status})>"

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def runs(self) -> list[Run]:
        """Return all runs of the file, the one that began last first."""
        return queries.runs(self._engine)

    def classes(self) -> list[ClassName]:
        """Return the classes, the least accurate first."""
        return queries.classes(self._engine, self.run.id, sort="accuracy")

    def images(self, class_name: str, show: Show = "all") -> list[Image]:
        """Return a class's images (`all`, `right` or `wrong`), those with the least margin first.

        Images without a prediction come last.
        """
        owner = find_class(self._engine, self.run.id, class_name).id
        return list(queries.every_image(self._engine, owner, show))

    def regions(self, image: str | Image) -> list[Region]:
        """Return the regions of an image with their captions, by map and rank."""
        return queries.regions(self._engine, self._image(image).id)

    def captions(self, class_name: str) -> list[ClassCaption]:
        """Return a class's distinct captions, the most frequent first."""
        owner = find_class(self._engine, self.run.id, class_name)
        return queries.captions(self._engine, owner.id, limit=max(1, owner.distinct_captions))

    def summary(
        self, class_name: str, k: int | None = None, redundancy: float | None = None
    ) -> Summary | None:
        """Choose a class's summary of `k` sentences, with `redundancy` as lambda.

        What is not given is as the run has it. None before the PMI is there.
        """
        config = self.run.config
        return read_summary(
            self._engine,
            find_class(self._engine, self.run.id, class_name).id,
            k or config.get("sentences", IndexConfig.sentences),
            config.get("redundancy", IndexConfig.redundancy) if redundancy is None else redundancy,
        )

    def findings(self, class_name: str) -> list[Finding]:
        """Return what may explain a class's errors, the first first."""
        return queries.findings(self._engine, find_class(self._engine, self.run.id, class_name).id)

    def table(self, name: str, library: str | None = None) -> Any:
        """Return a table of `mapcap export` as a data frame, with the columns of docs/tables.md.

        `library` is pandas or polars; if it is not given, whichever is installed. JSON is text.

        Raises:
            UserError: for an unknown table, or without either library.
        """
        if name not in NAMES:
            raise UserError(f"there is no table {name}. {closest(name, NAMES)}")
        marks = read_marks(self.run, self._db, None)
        return frame(columns(name), chunks(self._engine, self.run, name, marks), library)

    def picture(self, image: str | Image, role: Role | None = "true") -> Picture:
        """Draw what the model saw of an image, and over it where it looks.

        `role` says for what: the `true` class, on an error also the `predicted` one and the
        `contrast` of both; None draws the photo alone. The photo is read where it still lies, or
        else the stored thumbnail is enlarged.

        Raises:
            UserError: for an image without a picture, or without that map.
        """
        record = self._image(image)
        stored = queries.thumbnails(self._engine, [record.id]).get(record.id)
        photo = original(record, self.run.dataset) or decode(stored)
        if photo is None:
            raise UserError(f"{record.path} has no picture: {record.error or 'it is damaged'}")
        if role is None:
            return square(photo, self.run.resize_mode)
        maps = queries.relevances(self._engine, [record.id])[record.id]
        if role not in maps:
            there = ", ".join(maps) or "none"
            raise UserError(f"{record.path} has no map {role}; it has: {there}")
        return overlay(photo, maps[role].grid, STRENGTH, self.run.resize_mode)

    def _image(self, image: str | Image) -> Image:
        return image if isinstance(image, Image) else find_image(self._engine, self.run.id, image)
