from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from db.errors import StoreError
from db.text import storable
from db.types import Array, Bits, Blob, Json, PixelMask, SafeText, Timestamp

DIALECT = sqlite.dialect()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_an_array_column_casts_to_its_only_dtype() -> None:
    column = Array("<f2", ndim=1)
    blob = column.process_bind_param(np.array([0.5, 1.0]), DIALECT)
    back = column.process_result_value(blob, DIALECT)
    assert back is not None
    assert back.dtype == np.float16
    assert back.tolist() == [0.5, 1.0]


def test_an_array_column_with_two_dtypes_keeps_either_and_refuses_others() -> None:
    column = Array("<f4", "<f2", ndim=2)
    for dtype in (np.float16, np.float32):
        back = column.process_result_value(
            column.process_bind_param(np.ones((2, 2), dtype), DIALECT), DIALECT
        )
        assert back is not None
        assert back.dtype == dtype
    with pytest.raises(ValueError, match="float64"):
        column.process_bind_param(np.ones((2, 2)), DIALECT)


def test_an_array_of_the_wrong_rank_is_refused_both_ways() -> None:
    flat, square = Array("<f2", ndim=1), Array("<f2", ndim=2)
    with pytest.raises(ValueError, match="1 dimensions"):
        flat.process_bind_param(np.ones((2, 2)), DIALECT)
    blob = square.process_bind_param(np.ones((2, 2)), DIALECT)
    with pytest.raises(StoreError, match="damaged"):
        flat.process_result_value(blob, DIALECT)


@pytest.mark.parametrize("column", [Array("<f2", ndim=1), Bits(), PixelMask()])
@pytest.mark.parametrize("hostile", ["text", 7, 1.5, b"", b"A", b"A\x01\x01\xff\xff\xff\xff"])
def test_anything_else_in_an_array_column_is_an_error_of_the_store(
    column: Any, hostile: object
) -> None:
    with pytest.raises(StoreError, match="damaged"):
        column.process_result_value(hostile, DIALECT)


@pytest.mark.parametrize("column", [Bits(), PixelMask()])
def test_a_mask_without_two_dimensions_is_an_error_of_the_store(column: Any) -> None:
    blob = column.process_bind_param(np.zeros((2, 2), dtype=bool), DIALECT)
    # The number of dimensions, and a shape with as many of them.
    flat = blob[:2] + b"\x01" + blob[3:7] + blob[11:]
    with pytest.raises(StoreError, match="damaged"):
        column.process_result_value(flat, DIALECT)


def test_an_array_that_is_missing_is_an_error_of_the_store() -> None:
    with pytest.raises(StoreError, match="an array is missing where 1 dimensions"):
        Array("<f2", ndim=1).process_result_value(None, DIALECT)


@pytest.mark.parametrize("hostile", [None, "text", 7])
def test_bytes_that_are_none_are_an_error_of_the_store(hostile: object) -> None:
    assert Blob().process_result_value(b"\xff", DIALECT) == b"\xff"
    with pytest.raises(StoreError, match="not a blob"):
        Blob().process_result_value(hostile, DIALECT)


@pytest.mark.parametrize("column", [Bits(), PixelMask(), SafeText(), Timestamp()])
def test_null_stays_null(column: Any) -> None:
    assert column.process_bind_param(None, DIALECT) is None
    assert column.process_result_value(None, DIALECT) is None


@PATIENT
@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    column = Json()
    assert column.process_result_value(column.process_bind_param(value, DIALECT), DIALECT) == value


@pytest.mark.parametrize("hostile", ["", "{", "[" * 100_000, b"\xff", None, 1.5])
def test_text_that_is_no_json_is_an_error_of_the_store(hostile: object) -> None:
    with pytest.raises(StoreError, match="JSON"):
        Json().process_result_value(hostile, DIALECT)


def test_json_refuses_what_others_cannot_read() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Json().process_bind_param(float("nan"), DIALECT)


def test_a_moment_comes_back_in_utc() -> None:
    column, moment = Timestamp(), datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert (
        column.process_result_value(column.process_bind_param(moment, DIALECT), DIALECT) == moment
    )


@pytest.mark.parametrize("hostile", ["now", 1e300, float("inf"), b"1"])
def test_a_date_that_is_none_is_an_error_of_the_store(hostile: object) -> None:
    with pytest.raises(StoreError, match="date"):
        Timestamp().process_result_value(hostile, DIALECT)


@PATIENT
@given(st.text())
def test_text_without_surrogates_is_stored_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_lone_surrogates_are_kept_apart() -> None:
    assert storable("bad\udc80.jpg") == "bad\\udc80.jpg"
    assert storable("bad\udc80.jpg") != storable("bad\udc81.jpg")
