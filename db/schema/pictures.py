"""Tables of runs, classes, images and regions: what the vision side writes."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.columns import (
    Base,
    ClassId,
    ClassKey,
    Feature,
    Floats,
    Id,
    ImageId,
    ImageKey,
    Integers,
    JsonValue,
    Key,
    Name,
    RegionKey,
    RunId,
    RunKey,
    Vector,
)
from db.types import Array, Bits, PixelMask


class Run(Base):
    """One configuration applied to one dataset; the same `config_hash` resumes it."""

    __tablename__ = "run"
    id: Mapped[Id]
    config_hash: Mapped[str] = mapped_column(unique=True)
    config: Mapped[JsonValue]
    preset: Mapped[str]
    dataset: Mapped[str]
    networks: Mapped[JsonValue]
    versions: Mapped[JsonValue]
    host: Mapped[str]
    device: Mapped[str]
    started: Mapped[datetime]
    finished: Mapped[datetime | None]
    status: Mapped[str]
    notes: Mapped[JsonValue]


class Stage(Base):
    """How far one stage of a run has come; `seconds` and `worked` add up over all sessions.

    `seconds` went by in waiting for what is read (`reading`), at work on it (`computing`) and in
    waiting for what is stored (`writing`); of what an older MapCap stored these three are 0.
    Stages of equal `inputs_hash` share their results; it is empty where nobody knows it, or where
    sessions of different ones worked on the stage.
    """

    __tablename__ = "stage"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    run_id: Mapped[RunKey]
    name: Mapped[Name]
    position: Mapped[int]
    done: Mapped[int]
    total: Mapped[int]
    worked: Mapped[int]
    seconds: Mapped[float]
    status: Mapped[str]
    reading: Mapped[float] = mapped_column(default=0.0, server_default="0")
    computing: Mapped[float] = mapped_column(default=0.0, server_default="0")
    writing: Mapped[float] = mapped_column(default=0.0, server_default="0")
    inputs_hash: Mapped[str] = mapped_column(default="", server_default=text("''"))


class Lease(Base):
    """The job that fills the file now, the only row; `renewed` tells that it is alive."""

    __tablename__ = "lease"
    id: Mapped[Key]
    host: Mapped[str]
    process: Mapped[int]
    started: Mapped[datetime]
    renewed: Mapped[datetime]


class ClassName(Base):
    """A class of a run: its name, its text side, and the figures written at a stage's end.

    Without an accuracy its predicted images have no labels.
    """

    __tablename__ = "class_name"
    __table_args__ = (UniqueConstraint("run_id", "position"), UniqueConstraint("run_id", "label"))
    id: Mapped[Id]
    run_id: Mapped[RunId]
    position: Mapped[int]
    name: Mapped[str]
    label: Mapped[str]
    images: Mapped[int] = mapped_column(default=0, server_default="0")
    readable: Mapped[int] = mapped_column(default=0, server_default="0")
    predicted: Mapped[int] = mapped_column(default=0, server_default="0")
    correct: Mapped[int] = mapped_column(default=0, server_default="0")
    accuracy: Mapped[float | None]
    accuracy_low: Mapped[float | None]
    accuracy_high: Mapped[float | None]
    mean_true_probability: Mapped[float | None]
    # No foreign key: a class must not vanish with the class it is predicted as.
    top_wrong_class_id: Mapped[int | None]
    top_wrong_count: Mapped[int] = mapped_column(default=0, server_default="0")
    distinct_captions: Mapped[int] = mapped_column(default=0, server_default="0")
    first_sentence: Mapped[str | None]
    # Images of which the CLIP says the same; null where the CLIP itself predicts.
    agreed: Mapped[int | None]


class ClassText(Base):
    """The text side of a class: its embedding and the relevance of its name's tokens."""

    __tablename__ = "class_text"
    class_id: Mapped[ClassKey]
    embedding: Mapped[Vector]
    tokens: Mapped[JsonValue]


class Image(Base):
    """One file of the dataset; `error` says why it could not be read.

    `file_size` in bytes and `modified` in nanoseconds are those of the file as it was read: what
    changed since is found by them. `attributes` are figures of its pixels by name, empty
    where it is unreadable or an older MapCap read it.
    """

    __tablename__ = "image"
    __table_args__ = (UniqueConstraint("run_id", "path"), Index(None, "class_id"))
    id: Mapped[Id]
    run_id: Mapped[RunId]
    class_id: Mapped[ClassId]
    path: Mapped[str]
    content_hash: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    file_size: Mapped[int | None]
    x0: Mapped[float | None]
    y0: Mapped[float | None]
    x1: Mapped[float | None]
    y1: Mapped[float | None]
    error: Mapped[str | None]
    modified: Mapped[int | None]
    attributes: Mapped[JsonValue] = mapped_column(default=dict, server_default="{}")


class Thumbnail(Base):
    """A small WebP picture of an image."""

    __tablename__ = "thumbnail"
    image_id: Mapped[ImageKey]
    webp: Mapped[bytes]


class ImageEmbedding(Base):
    """The image's own embedding, L2-normalised, and the norm it had."""

    __tablename__ = "image_embedding"
    image_id: Mapped[ImageKey]
    vector: Mapped[Feature]
    norm: Mapped[float]


class Prediction(Base):
    """What the model says of an image; `margin` = true logit - best other logit.

    Of a classifier whose predictions came in a file, what the file lacks is null. Of an image that
    nobody labelled the class is the predicted one, and `true_rank` is null (`db.sql.judged`).
    """

    __tablename__ = "prediction"
    # Each index ends in the row id, which is the image: they serve pages keyed by (margin, id).
    __table_args__ = (
        Index(None, "class_id", "margin"),
        Index(None, "class_id", "correct", "margin"),
        Index(None, "class_id", "predicted_class_id", "margin"),
        Index(None, "predicted_class_id"),
    )
    image_id: Mapped[ImageKey]
    class_id: Mapped[ClassId]
    predicted_class_id: Mapped[ClassId]
    correct: Mapped[bool]
    true_probability: Mapped[float | None]
    true_rank: Mapped[int | None]
    margin: Mapped[float | None]


class PredictionTop(Base):
    """One of an image's best classes; rank 1 is the predicted class."""

    __tablename__ = "prediction_top"
    __table_args__ = (Index(None, "class_id"), {"sqlite_with_rowid": False})
    image_id: Mapped[ImageKey]
    rank: Mapped[Key]
    class_id: Mapped[ClassId]
    probability: Mapped[float | None]
    logit: Mapped[float | None]


class Witness(Base):
    """What the CLIP says of an image that another classifier predicts; both over its softmax."""

    __tablename__ = "witness"
    __table_args__ = (Index(None, "predicted_class_id"),)
    image_id: Mapped[ImageKey]
    predicted_class_id: Mapped[ClassId]
    probability: Mapped[float]
    true_probability: Mapped[float]


class Confusion(Base):
    """How many images of a class were predicted as another; correct ones are not listed."""

    __tablename__ = "confusion"
    __table_args__ = (Index(None, "predicted_class_id"), {"sqlite_with_rowid": False})
    class_id: Mapped[ClassKey]
    predicted_class_id: Mapped[ClassKey]
    count: Mapped[int]


class Relevance(Base):
    """A relevance grid divided by its raw maximum, so that float16 holds weak maps too.

    `region_count` is null until regions have been looked for; 0 says that none was found.
    """

    __tablename__ = "relevance"
    __table_args__ = (
        UniqueConstraint("image_id", "role"),
        Index(None, "target_class_id"),
    )
    id: Mapped[Id]
    image_id: Mapped[ImageId]
    role: Mapped[str]
    target_class_id: Mapped[ClassId]
    grid: Mapped[NDArray[np.float16]] = mapped_column(Array("<f2", ndim=2, halvings=11))
    raw_max: Mapped[float]
    raw_mass: Mapped[float]
    region_count: Mapped[int | None]


class Region(Base):
    """A region of a relevance map: box in original pixels, shares, and its two masks."""

    __tablename__ = "region"
    __table_args__ = (
        UniqueConstraint("image_id", "role", "rank"),
        Index(None, "run_id", "image_id"),
    )
    id: Mapped[Id]
    run_id: Mapped[RunId]
    image_id: Mapped[ImageId]
    role: Mapped[str]
    rank: Mapped[int]
    x0: Mapped[float]
    y0: Mapped[float]
    x1: Mapped[float]
    y1: Mapped[float]
    area_share: Mapped[float]
    mass_share: Mapped[float]
    patch_mask: Mapped[NDArray[np.bool_]] = mapped_column(Bits)
    mask: Mapped[NDArray[np.bool_]] = mapped_column(PixelMask)


class Embedding(Base):
    """A region's embedding under one representation, L2-normalised, and the norm it had."""

    __tablename__ = "embedding"
    region_id: Mapped[RegionKey]
    representation: Mapped[Name]
    vector: Mapped[Feature]
    norm: Mapped[float]


class EmbeddingBlock(Base):
    """Embeddings of successive regions of a run in eight bits; see `db.codes`.

    The blocks of a run hold its regions up to the last `last_region_id`, in their order.
    """

    __tablename__ = "embedding_block"
    run_id: Mapped[RunKey]
    representation: Mapped[Name]
    last_region_id: Mapped[Key]
    # Before the blobs, so that counting does not read these.
    count: Mapped[int]
    region_ids: Mapped[Integers]
    centre: Mapped[Floats]
    scales: Mapped[Floats]
    errors: Mapped[Floats]
    codes: Mapped[NDArray[np.int8]] = mapped_column(Array("|i1", ndim=2))
