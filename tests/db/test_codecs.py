import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from db import codecs
from db.errors import StoreError

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40))
ARRAYS = st.sampled_from(["<f2", "<f4", "<i8", "|u1", "<u2", "<u4", ">f4"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        SHAPES,
        elements={"allow_nan": False, "allow_infinity": False} if dtype[1] == "f" else None,
    )
)
# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DECODERS = [codecs.decode_array, codecs.decode_bits, codecs.decode_runs]


@PATIENT
@given(ARRAYS)
def test_an_array_comes_back_as_it_was(array: NDArray[Any]) -> None:
    back = codecs.decode_array(codecs.encode_array(array))
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")
    assert np.array_equal(back, array)
    assert not back.flags.writeable


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_array_with_a_hole_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        codecs.encode_array(np.array([1.0, bad], np.float16))


def test_an_array_of_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(ValueError, match="complex"):
        codecs.encode_array(np.zeros(2, np.complex64))
    with pytest.raises(ValueError, match="shape"):
        codecs.encode_array(np.zeros((1, 1, 1, 1), np.float32))


@PATIENT
@given(MASKS)
def test_a_mask_comes_back_from_both_codecs(mask: NDArray[np.bool_]) -> None:
    for encode, decode in (
        (codecs.encode_bits, codecs.decode_bits),
        (codecs.encode_runs, codecs.decode_runs),
    ):
        back = decode(encode(mask))
        assert back.dtype == np.bool_
        assert np.array_equal(back, mask)
        assert back.shape == mask.shape


def test_runs_are_what_a_person_counts() -> None:
    mask = np.array([[False, False, True], [True, False, True]])
    blob = codecs.encode_runs(mask)
    # Magic, dtype code 4 (uint8), 2 dimensions, shape, then the runs 2 off, 2 on, 1 off, 1 on.
    assert blob == b"R\x04\x02" + struct.pack("<2I", 2, 3) + bytes([2, 2, 1, 1])
    assert codecs.encode_runs(~mask)[11:] == bytes([0, 2, 2, 1, 1])


@pytest.mark.parametrize(("side", "width"), [(15, 1), (250, 2), (300, 4)])
def test_runs_are_no_wider_than_the_longest(side: int, width: int) -> None:
    mask = np.zeros((side, side), dtype=bool)
    blob = codecs.encode_runs(mask)
    assert len(blob) == 11 + width
    assert np.array_equal(codecs.decode_runs(blob), mask)


@PATIENT
@given(st.binary(max_size=60), st.sampled_from(DECODERS))
def test_noise_is_an_error_of_the_store_or_an_array(blob: bytes, decode: Any) -> None:
    try:
        assert isinstance(decode(blob), np.ndarray)
    except StoreError as error:
        assert "damaged" in str(error)


@PATIENT
@given(MASKS, st.data())
def test_a_changed_blob_is_an_error_or_a_mask_of_the_stated_shape(
    mask: NDArray[np.bool_], data: st.DataObject
) -> None:
    blob = bytearray(codecs.encode_runs(mask))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] = data.draw(st.integers(0, 255))
    try:
        back = codecs.decode_runs(bytes(blob))
    except StoreError:
        return
    assert back.size == int(np.prod(struct.unpack_from(f"<{blob[2]}I", blob, 3)))


@pytest.mark.parametrize("decode", DECODERS)
def test_a_small_blob_cannot_ask_for_a_huge_array(decode: Any) -> None:
    for code in range(8):
        blob = struct.pack("<cBB2I", b"R", code, 2, 2**31, 2**31) + b"\xff" * 16
        for magic in (b"A", b"B", b"R"):
            with pytest.raises(StoreError):
                decode(magic + blob[1:])


def test_a_mask_beyond_what_is_read_is_not_written() -> None:
    with pytest.raises(ValueError, match="cannot store"):
        codecs.encode_runs(np.zeros((8193, 8192), dtype=bool))


@PATIENT
@given(st.integers(1, 5), st.integers(0, 7))
def test_a_stack_equals_its_vectors_read_one_by_one(n: int, dimensions: int) -> None:
    vectors = np.arange(n * dimensions, dtype=np.float16).reshape(n, dimensions)
    stacked = codecs.decode_stack([codecs.encode_array(vector) for vector in vectors])
    assert stacked.dtype == np.float16
    assert np.array_equal(stacked, vectors)


def test_a_stack_of_unlike_vectors_is_refused() -> None:
    short, long = (codecs.encode_array(np.zeros(n, np.float16)) for n in (2, 3))
    wide = codecs.encode_array(np.zeros(1, np.float32))
    flat = codecs.encode_array(np.zeros((1, 1), np.float16))
    for blobs in ([short, long], [short, wide], [flat, flat]):
        with pytest.raises(StoreError, match="differ"):
            codecs.decode_stack(blobs)
