"""Tables of captions and what is chosen from them: what the language side writes."""

from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.columns import (
    Base,
    CaptionId,
    CaptionKey,
    ClassId,
    ClassKey,
    Floats,
    Id,
    Key,
    Name,
    Numbers,
    RegionKey,
    RunId,
    references,
)
from db.types import Array


class Caption(Base):
    """A distinct text of a run; `artefact`: it tells of the picture rather than its content."""

    __tablename__ = "caption"
    __table_args__ = (UniqueConstraint("run_id", "text"),)
    id: Mapped[Id]
    run_id: Mapped[RunId]
    text: Mapped[str]
    token_count: Mapped[int]
    is_empty: Mapped[bool]
    artefact: Mapped[bool | None]


class RegionCaption(Base):
    """The caption of a region; `log_probability` is the mean over its tokens."""

    __tablename__ = "region_caption"
    __table_args__ = (
        Index(None, "caption_id", "class_id"),
        Index(None, "class_id", "role", "caption_id"),
    )
    region_id: Mapped[RegionKey]
    caption_id: Mapped[CaptionId]
    class_id: Mapped[ClassId]
    role: Mapped[str]
    log_probability: Mapped[float]
    cosine: Mapped[float | None]


class ClassCaption(Base):
    """How often a caption stands in a class: regions of role `true`, images of either outcome."""

    __tablename__ = "class_caption"
    __table_args__ = (
        Index(None, "class_id", "count", "caption_id"),
        Index(None, "caption_id"),
        {"sqlite_with_rowid": False},
    )
    class_id: Mapped[ClassKey]
    caption_id: Mapped[CaptionKey]
    count: Mapped[int]
    right: Mapped[int]
    wrong: Mapped[int]


class Pmi(Base):
    """The matrix of a class over the captions in `caption_ids`; row i is the context.

    `distinct_total` says how many distinct captions there were before `max_sentences` cut them;
    `region_total` how many captioned regions, so that a class that has grown is found again.
    """

    __tablename__ = "pmi"
    class_id: Mapped[ClassKey]
    caption_ids: Mapped[Numbers]
    counts: Mapped[Numbers]
    matrix: Mapped[NDArray[Any]] = mapped_column(Array("<f4", "<f2", ndim=2, halvings=7))
    surprisal: Mapped[Floats]
    relevance: Mapped[Floats]
    distinct_total: Mapped[int]
    region_total: Mapped[int]


class Summary(Base):
    """A selection of at most k sentences for a class."""

    __tablename__ = "summary"
    __table_args__ = (UniqueConstraint("class_id", "k", "redundancy"),)
    id: Mapped[Id]
    class_id: Mapped[ClassId]
    k: Mapped[int]
    redundancy: Mapped[float]


class SummarySentence(Base):
    """A caption at its place in a summary, with the scores that chose it."""

    __tablename__ = "summary_sentence"
    __table_args__ = (Index(None, "caption_id"), {"sqlite_with_rowid": False})
    summary_id: Mapped[int] = references("summary.id", primary_key=True)
    position: Mapped[Key]
    caption_id: Mapped[CaptionId]
    relevance: Mapped[float]
    penalty: Mapped[float]
    score: Mapped[float]


class WordScore(Base):
    """A word of a class with a score; `kind` says which."""

    __tablename__ = "word_score"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    class_id: Mapped[ClassKey]
    kind: Mapped[Name]
    word: Mapped[Name]
    score: Mapped[float]
    count: Mapped[int]
