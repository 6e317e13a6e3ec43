"""Column types that check what they read: numbers, text, times, JSON, arrays and masks.

SQLite keeps a value of any type in any column, and a file may come from anybody: what comes out of
these types is of the type that the record says, or a StoreError.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Boolean, Dialect, Float, Integer, LargeBinary, Text, TypeDecorator

from db.codecs import (
    decode_array,
    decode_bits,
    decode_mask,
    encode_array,
    encode_bits,
    encode_mask,
    encode_steps,
)
from db.errors import StoreError
from db.text import storable
from db.values import any_number_of, json_of, moment_of, number_of, text_of, truth_of, whole_of


class Array(TypeDecorator[NDArray[Any]]):
    """An array of one of the stated dtypes and of the stated number of dimensions.

    An array of another number of dimensions is a ValueError when written; a blob that does not
    hold such an array is a StoreError when read. With one dtype, arrays are cast to it. With
    `halvings`, they are written in steps of 2 ** -halvings.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *dtypes: str, ndim: int, halvings: int | None = None) -> None:
        super().__init__()
        self.dtypes = dtypes
        self.ndim = ndim
        self.halvings = halvings

    def process_bind_param(self, value: NDArray[Any] | None, dialect: Dialect) -> bytes | None:
        """Array to blob."""
        if value is None:
            return None
        if len(self.dtypes) == 1:
            value = value.astype(self.dtypes[0], copy=False)
        if not self._fits(value):
            raise ValueError(f"expected {self._wanted()}, got {value.dtype} {value.shape}")
        if self.halvings is not None:
            return encode_steps(value, self.halvings)
        return encode_array(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> NDArray[Any]:
        """Blob to array; every column of arrays has one."""
        if value is None:
            raise StoreError(
                f"an array is missing where {self._wanted()} belongs: the file is damaged"
            )
        array = decode_array(blob_of(value))
        if not self._fits(array):
            raise StoreError(
                f"a stored array is {array.dtype} {array.shape} where {self._wanted()} belongs: "
                "the file is damaged"
            )
        return array

    def _fits(self, array: NDArray[Any]) -> bool:
        return array.ndim == self.ndim and any(array.dtype == name for name in self.dtypes)

    def _wanted(self) -> str:
        return f"{self.ndim} dimensions of {' or '.join(self.dtypes)}"


class Bits(TypeDecorator[NDArray[np.bool_]]):
    """A bool mask on the patch grid, one bit a cell."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: NDArray[np.bool_] | None, dialect: Dialect) -> bytes | None:
        """Mask to blob."""
        return None if value is None else encode_bits(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> NDArray[np.bool_] | None:
        """Blob to mask, (rows, columns)."""
        return None if value is None else _mask(decode_bits(blob_of(value)))


class PixelMask(TypeDecorator[NDArray[np.bool_]]):
    """A bool mask in pixels, by the edges of its runs."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: NDArray[np.bool_] | None, dialect: Dialect) -> bytes | None:
        """Mask to blob."""
        return None if value is None else encode_mask(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> NDArray[np.bool_] | None:
        """Blob to mask, (height, width)."""
        return None if value is None else _mask(decode_mask(blob_of(value)))


class Json(TypeDecorator[Any]):
    """A JSON value as text with sorted keys; StoreError on text that is not JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Value to text, lone surrogates escaped as JSON does."""
        return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Text to value."""
        return json_of(value)


class _Checked(TypeDecorator[Any]):
    """A column whose values come out of SQLite as they are, once `read` has looked at them."""

    impl: Any = Text
    cache_ok = True
    read: Callable[[Any], Any]

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Value to value."""
        return type(self).read(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return `read` itself: a call less for each of a million values."""
        return type(self).read


class Whole(_Checked):
    """An integer; StoreError on anything else when read."""

    impl = Integer
    cache_ok = True
    read = staticmethod(whole_of)


class Number(_Checked):
    """A finite number; StoreError on anything else when read."""

    impl = Float
    cache_ok = True
    read = staticmethod(number_of)


class AnyNumber(_Checked):
    """A number that may be infinite; StoreError on anything else when read."""

    impl = Float
    cache_ok = True
    read = staticmethod(any_number_of)


class Truth(_Checked):
    """True or false; StoreError on anything but 0 and 1 when read."""

    impl = Boolean
    cache_ok = True
    read = staticmethod(truth_of)


class Blob(TypeDecorator[bytes]):
    """Bytes, which every such column has; StoreError on anything else when read."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes:
        """Bytes as they are."""
        return blob_of(value)


class SafeText(_Checked):
    """Text of any content; a lone surrogate, which UTF-8 cannot hold, is kept as an escape."""

    impl = Text
    cache_ok = True
    read = staticmethod(text_of)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Text as SQLite can hold it."""
        return None if value is None else storable(value)


class Timestamp(TypeDecorator[datetime]):
    """A moment as seconds since 1970, read back in UTC."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:
        """Moment to seconds."""
        return None if value is None else value.timestamp()

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Seconds to moment."""
        return moment_of(value)


def blob_of(value: object) -> bytes:
    """Return the bytes of a blob column; StoreError where a hostile file has another type there."""
    if not isinstance(value, bytes):
        raise StoreError("a stored array or picture is damaged: it is not a blob")
    return value


def _mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if mask.ndim != 2:
        raise StoreError("a stored mask is damaged: it has not two dimensions")
    return mask
