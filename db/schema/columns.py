"""The base of all tables and the kinds of columns they share."""

from datetime import datetime
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, mapped_column

from db.types import Array, Blob, Json, Number, SafeText, Timestamp, Truth, Whole

FEATURE_HALVINGS: Final = 11
# The names of constraints and indexes, the same in every file and every migration.
NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def references(column: str, **options: Any) -> Any:
    """Return a column that refers to another and goes when that goes."""
    return mapped_column(ForeignKey(column, ondelete="CASCADE"), **options)


Id = Annotated[int, mapped_column(primary_key=True)]
Key = Annotated[int, mapped_column(primary_key=True, autoincrement=False)]
Name = Annotated[str, mapped_column(primary_key=True)]
RunId = Annotated[int, references("run.id")]
RunKey = Annotated[int, references("run.id", primary_key=True)]
ClassId = Annotated[int, references("class_name.id")]
ClassKey = Annotated[int, references("class_name.id", primary_key=True)]
ImageId = Annotated[int, references("image.id")]
ImageKey = Annotated[int, references("image.id", primary_key=True)]
RegionKey = Annotated[int, references("region.id", primary_key=True)]
CaptionId = Annotated[int, references("caption.id")]
CaptionKey = Annotated[int, references("caption.id", primary_key=True)]
JsonValue = Annotated[Any, mapped_column(Json)]
Vector = Annotated[NDArray[np.float16], mapped_column(Array("<f2", ndim=1))]
# Unit vectors: float16's own steps at one half, which move a cosine by 1.4e-4 (standard deviation).
Feature = Annotated[
    NDArray[np.float16], mapped_column(Array("<f2", ndim=1, halvings=FEATURE_HALVINGS))
]
Floats = Annotated[NDArray[np.float32], mapped_column(Array("<f4", ndim=1))]
# Short ones: ids of captions and counts.
Numbers = Annotated[NDArray[np.int64], mapped_column(Array("<i8", ndim=1, halvings=0))]
Integers = Annotated[NDArray[np.int64], mapped_column(Array("<i8", ndim=1))]


class Base(DeclarativeBase):
    """What all tables share: the names of constraints and the checked column types."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012
        int: Whole,
        float: Number,
        bool: Truth,
        bytes: Blob,
        str: SafeText,
        datetime: Timestamp,
    }
