import struct
import zlib
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
DECODERS = [codecs.decode_array, codecs.decode_bits, codecs.decode_mask]


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
        (codecs.encode_mask, codecs.decode_mask),
    ):
        back = decode(encode(mask))
        assert back.dtype == np.bool_
        assert np.array_equal(back, mask)
        assert back.shape == mask.shape


def test_a_mask_is_the_edges_of_its_runs() -> None:
    mask = np.array([[False, False, True], [True, False, True]])
    blob = codecs.encode_mask(mask)
    # Magic, dtype code 4 (uint8), 2 dimensions, shape.
    assert blob[:11] == b"E\x04\x02" + struct.pack("<2I", 2, 3)
    # Edges at 2, 4, 5: the third is as far from the first as a row is long. Doubled, and by octet.
    assert zlib.decompress(blob[11:], wbits=-15) == bytes([4, 8, 0]) + bytes(9)


def test_bits_of_files_before_format_11_are_read() -> None:
    mask = np.array([[False, False, True], [True, False, True]])
    head = b"Z\x04\x02" + struct.pack("<2I", 2, 3)
    blob = head + zlib.compress(bytes([0b00110100]), wbits=-15)
    assert np.array_equal(codecs.decode_mask(blob), mask)


def test_runs_of_files_before_format_10_are_read() -> None:
    mask = np.array([[False, False, True], [True, False, True]])
    header = struct.pack("<2I", 2, 3)
    for code, dtype in ((4, "<u1"), (5, "<u2"), (6, "<u4")):
        runs = np.array([2, 2, 1, 1], dtype).tobytes()
        assert np.array_equal(codecs.decode_mask(b"R" + bytes([code, 2]) + header + runs), mask)


def test_the_mask_of_a_round_region_is_small() -> None:
    y, x = np.mgrid[:224, :224]
    mask = (x - 100) ** 2 + (y - 90) ** 2 < 60**2
    # Two runs a row over 119 rows, of two bytes each if they stood as they are.
    assert len(codecs.encode_mask(mask)) < 120


@pytest.mark.parametrize("packed", [b"\x34\x00", bytes(1 << 12)])
def test_a_mask_that_inflates_to_other_than_its_pixels_is_an_error(packed: bytes) -> None:
    deflated = zlib.compress(packed, wbits=-15)
    for magic in (b"Z", b"E"):
        with pytest.raises(StoreError, match=r"does not fill|another length"):
            codecs.decode_mask(magic + b"\x04\x02" + struct.pack("<2I", 2, 3) + deflated)


def test_a_mask_that_is_cut_off_or_not_deflated_is_an_error() -> None:
    blob = codecs.encode_mask(np.eye(9, dtype=bool))
    for damaged in (blob[:-1], blob[:11], blob[:11] + b"\xff" + blob[11:]):
        with pytest.raises(StoreError, match="damaged"):
            codecs.decode_mask(damaged)


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
    blob = bytearray(codecs.encode_mask(mask))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] = data.draw(st.integers(0, 255))
    try:
        back = codecs.decode_mask(bytes(blob))
    except StoreError:
        return
    assert back.size == int(np.prod(struct.unpack_from(f"<{blob[2]}I", blob, 3)))


@pytest.mark.parametrize("decode", DECODERS)
def test_a_small_blob_cannot_ask_for_a_huge_array(decode: Any) -> None:
    for code in range(8):
        blob = struct.pack("<cBB2I", b"R", code, 2, 2**31, 2**31) + b"\xff" * 16
        for magic in (b"A", b"B", b"E", b"R", b"S", b"Z"):
            with pytest.raises(StoreError):
                decode(magic + blob[1:])


def test_a_mask_beyond_what_is_read_is_not_written() -> None:
    with pytest.raises(ValueError, match="cannot store"):
        codecs.encode_mask(np.zeros((8193, 8192), dtype=bool))


@PATIENT
@given(st.integers(1, 5), st.integers(0, 7))
def test_a_stack_equals_its_vectors_read_one_by_one(n: int, dimensions: int) -> None:
    vectors = np.arange(n * dimensions, dtype=np.float16).reshape(n, dimensions)
    stacked = codecs.decode_stack([codecs.encode_array(vector) for vector in vectors])
    assert stacked.dtype == np.float16
    assert np.array_equal(stacked, vectors)


@PATIENT
@given(
    hnp.arrays(st.sampled_from(["<f2", "<f4"]), SHAPES, elements=st.floats(-9, 9, width=16)),
    st.integers(0, 12),
)
def test_an_array_in_steps_is_off_by_half_a_step(array: NDArray[Any], halvings: int) -> None:
    back = codecs.decode_array(codecs.encode_steps(array, halvings))
    assert back.shape == array.shape
    assert back.dtype == array.dtype
    # Of float16, numbers beyond 2048 steps are rounded again.
    allowed = 2.0**-halvings / 2 + np.abs(array).max(initial=0) * np.finfo(array.dtype).eps
    assert (np.abs(back.astype(float) - array) <= allowed).all()


@PATIENT
@given(hnp.arrays("<i8", SHAPES, elements=st.integers(-(2**30), 2**30)))
def test_whole_numbers_come_back_as_they_were(array: NDArray[Any]) -> None:
    back = codecs.decode_array(codecs.encode_steps(array, 0))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


def test_a_unit_vector_in_steps_takes_little_over_half_its_length() -> None:
    vector = np.random.default_rng(0).normal(size=384).astype(np.float32)
    vector /= np.linalg.norm(vector)
    assert len(codecs.encode_steps(vector.astype(np.float16), 11)) < 0.6 * 768


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_what_has_no_steps_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="too large"):
        codecs.encode_steps(np.array([1.0, bad], np.float32), 6)
    with pytest.raises(ValueError, match="dtype uint8"):
        codecs.encode_steps(np.zeros(2, np.uint8), 6)


@PATIENT
@given(st.integers(1, 40), st.data())
def test_a_changed_blob_in_steps_is_an_error_or_finite_and_of_its_shape(
    n: int, data: st.DataObject
) -> None:
    vector = np.linspace(-1, 1, n, dtype=np.float16)
    blob = bytearray(codecs.encode_steps(vector, 11))
    blob[data.draw(st.integers(3, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        back = codecs.decode_array(bytes(blob))
    except StoreError:
        return
    assert back.shape == struct.unpack_from("<I", blob, 3)
    assert np.isfinite(back).all()


def test_a_stack_of_vectors_in_steps_and_of_older_ones_is_read_in_order() -> None:
    vectors = np.random.default_rng(0).integers(-2000, 2000, (7, 5)).astype(np.float16) / 2048
    vectors[3] *= 9  # has codes of another length
    blobs = [
        codecs.encode_array(vector) if place % 3 == 1 else codecs.encode_steps(vector, 11)
        for place, vector in enumerate(vectors)
    ]
    assert np.allclose(codecs.decode_stack(blobs), vectors, atol=1e-2)
    assert np.array_equal(codecs.decode_stack(blobs)[:3], vectors[:3])
    assert np.array_equal(codecs.decode_stack(blobs[::3]), codecs.decode_stack(blobs)[::3])


def test_codes_that_lend_one_another_their_ends_are_refused() -> None:
    one, other = (codecs.encode_steps(np.full(4, x, np.float16), 0) for x in (0, 0))
    longer, shorter = one + one[-1:], other[:-1]
    for blobs in ([longer, shorter], [shorter, longer], [one[:-1]]):
        with pytest.raises(StoreError, match="damaged"):
            codecs.decode_stack(blobs)


def test_a_stack_of_unlike_vectors_is_refused() -> None:
    short, long = (codecs.encode_array(np.zeros(n, np.float16)) for n in (2, 3))
    wide = codecs.encode_array(np.zeros(1, np.float32))
    flat = codecs.encode_array(np.zeros((1, 1), np.float16))
    stepped = codecs.encode_steps(np.zeros(2, np.float16), 11)
    for blobs in ([short, long], [short, wide], [flat, flat], [stepped, long]):
        with pytest.raises(StoreError, match="differ"):
            codecs.decode_stack(blobs)
