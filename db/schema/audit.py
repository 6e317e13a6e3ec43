"""Tables of the audit's findings and the metrics."""

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.columns import (
    Base,
    ClassId,
    ClassKey,
    Id,
    ImageId,
    ImageKey,
    JsonValue,
    Key,
    Name,
    RunKey,
    references,
)

_EMPTY = text("''")


class ClassAudit(Base):
    """What the audit says of a class in one line, with the figures behind each clause.

    `predicted` and `region_total` say how many predictions and captioned regions it was made
    from, so that a class that has grown is found again; `audit_version` with which kinds of
    findings, 0 before these were counted.
    """

    __tablename__ = "class_audit"
    class_id: Mapped[ClassKey]
    line: Mapped[str]
    clauses: Mapped[JsonValue]
    figures: Mapped[JsonValue]
    predicted: Mapped[int]
    region_total: Mapped[int]
    audit_version: Mapped[int] = mapped_column(default=0, server_default="0")


class Finding(Base):
    """Something that may explain a class's errors; position 0 is the first.

    `plain` and `colour` are how its kind is shown, `details` the printed lines; a finding of the
    next audit of the class is the same one if its `kind` and `subject` are. All four are empty
    where an older audit made it.
    """

    __tablename__ = "finding"
    __table_args__ = (UniqueConstraint("class_id", "position"),)
    id: Mapped[Id]
    class_id: Mapped[ClassId]
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    score: Mapped[float]
    figures: Mapped[JsonValue]
    plain: Mapped[str] = mapped_column(default="", server_default=_EMPTY)
    colour: Mapped[str] = mapped_column(default="", server_default=_EMPTY)
    overlay: Mapped[bool] = mapped_column(default=True, server_default="1")
    details: Mapped[JsonValue] = mapped_column(default=list, server_default="[]")
    subject: Mapped[str] = mapped_column(default="", server_default=_EMPTY)


class FindingImage(Base):
    """An image that is evidence of a finding, the most telling first."""

    __tablename__ = "finding_image"
    __table_args__ = (Index(None, "image_id"), {"sqlite_with_rowid": False})
    finding_id: Mapped[int] = references("finding.id", primary_key=True)
    position: Mapped[Key]
    image_id: Mapped[ImageId]


class FindingRegion(Base):
    """A region that is evidence of a finding, the most telling first."""

    __tablename__ = "finding_region"
    __table_args__ = (Index(None, "region_id"), {"sqlite_with_rowid": False})
    finding_id: Mapped[int] = references("finding.id", primary_key=True)
    position: Mapped[Key]
    region_id: Mapped[int] = references("region.id")


class ErrorWord(Base):
    """A word tested for marking a class's errors; `against_class_id` null = its correct ones."""

    __tablename__ = "error_word"
    __table_args__ = (Index(None, "class_id", "against_class_id"), Index(None, "against_class_id"))
    id: Mapped[Id]
    class_id: Mapped[ClassId]
    against_class_id: Mapped[ClassId | None]
    word: Mapped[str]
    log_odds: Mapped[float]
    z: Mapped[float]
    q: Mapped[float]
    b2t: Mapped[float | None]
    b2t_low: Mapped[float | None]
    b2t_high: Mapped[float | None]
    images: Mapped[int]
    correct: Mapped[int]
    wrong: Mapped[int]


class Figure(Base):
    """A metric of a run over `n` items, with its interval where there is one."""

    __tablename__ = "figure"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    run_id: Mapped[RunKey]
    name: Mapped[Name]
    value: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    n: Mapped[int]


class ClassFigure(Base):
    """A metric of one class."""

    __tablename__ = "class_figure"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    class_id: Mapped[ClassKey]
    name: Mapped[Name]
    value: Mapped[float]


class ImageFigure(Base):
    """A figure that was measured on one image of a sample."""

    __tablename__ = "image_figure"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    image_id: Mapped[ImageKey]
    name: Mapped[Name]
    value: Mapped[float]
