"""Arrays and bool masks as bytes that state what they are.

A blob states what it holds (magic byte, dtype, shape), and every reader checks the statement
against the blob's length before it builds an array, because a file may come from anybody.
"""

import struct
import zlib
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.errors import StoreError

_ARRAY, _BITS, _RUNS, _DEFLATED = b"A", b"B", b"R", b"Z"
# The code in a blob's second byte. Codes are for good: add, never renumber.
_DTYPES = {1: "<f2", 2: "<f4", 3: "<i8", 4: "|u1", 5: "<u2", 6: "<u4", 7: "|i1"}
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}
_MAX_DIMENSIONS = 3
# A blob of a few bytes could otherwise ask for 2**64 pixels.
_MAX_PIXELS = 1 << 26
# Deflate without a header and a checksum of its own, six bytes: masks are short.
_RAW_DEFLATE = -15


def _header(magic: bytes, dtype: np.dtype[Any], shape: Sequence[int]) -> bytes:
    return struct.pack(f"<cBB{len(shape)}I", magic, _CODES[dtype], len(shape), *shape)


def _split(blob: bytes, magic: bytes) -> tuple[np.dtype[Any], tuple[int, ...], memoryview]:
    """Take a blob apart into dtype, shape and payload; StoreError where the header is not ours."""
    if len(blob) < 3 or blob[:1] != magic:
        raise StoreError("a stored array is damaged: its header is missing")
    code, dimensions = blob[1], blob[2]
    start = 3 + 4 * dimensions
    if code not in _DTYPES or dimensions > _MAX_DIMENSIONS or len(blob) < start:
        raise StoreError("a stored array is damaged: its header makes no sense")
    shape = struct.unpack_from(f"<{dimensions}I", blob, 3)
    return np.dtype(_DTYPES[code]), shape, memoryview(blob)[start:]


def encode_array(array: NDArray[Any]) -> bytes:
    """Write an array as header and little-endian bytes; ValueError on NaN and unknown dtypes."""
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _CODES or array.ndim > _MAX_DIMENSIONS:
        raise ValueError(f"cannot store an array of dtype {array.dtype} and shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("cannot store an array that holds NaN or infinity")
    return _header(_ARRAY, dtype, array.shape) + array.astype(dtype, copy=False).tobytes()


def decode_array(blob: bytes) -> NDArray[Any]:
    """Read what `encode_array` wrote, as a read-only array; StoreError on any other blob."""
    dtype, shape, payload = _split(blob, _ARRAY)
    if len(payload) != prod(shape) * dtype.itemsize:
        raise StoreError(f"a stored array is damaged: {len(payload)} bytes do not fill {shape}")
    return np.frombuffer(payload, dtype).reshape(shape)


def decode_stack(blobs: Sequence[bytes]) -> NDArray[Any]:
    """Read n vectors of one dtype and length D into one (n, D) array, without a call per vector."""
    if not blobs:
        return np.empty((0, 0), np.float16)
    first = decode_array(blobs[0])
    header = blobs[0][: len(blobs[0]) - first.nbytes]
    if first.ndim != 1 or any(
        len(blob) != len(blobs[0]) or not blob.startswith(header) for blob in blobs
    ):
        raise StoreError("stored embeddings of one kind differ in length: the file is damaged")
    rows = np.frombuffer(b"".join(blobs), np.uint8).reshape(len(blobs), -1)  # (n, header + D bytes)
    return np.ascontiguousarray(rows[:, len(header) :]).view(first.dtype)


def encode_bits(mask: NDArray[np.bool_]) -> bytes:
    """Write a small mask (a patch grid) as one bit a cell."""
    return _header(_BITS, np.dtype(np.uint8), mask.shape) + np.packbits(mask).tobytes()


def decode_bits(blob: bytes) -> NDArray[np.bool_]:
    """Read what `encode_bits` wrote; StoreError on any other blob."""
    _, shape, payload = _split(blob, _BITS)
    if len(payload) != (prod(shape) + 7) // 8:
        raise StoreError(f"a stored mask is damaged: {len(payload)} bytes do not fill {shape}")
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), count=prod(shape))
    return bits.astype(np.bool_).reshape(shape)


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """Write a mask in pixels as one bit a pixel, deflated: half the length of its runs.

    ValueError beyond 64 Mpixel, which `decode_mask` would refuse.
    """
    if mask.size > _MAX_PIXELS:
        raise ValueError(f"cannot store a mask of shape {mask.shape}")
    deflated = zlib.compress(np.packbits(mask).tobytes(), 9, wbits=_RAW_DEFLATE)
    return _header(_DEFLATED, np.dtype(np.uint8), mask.shape) + deflated


def decode_mask(blob: bytes) -> NDArray[np.bool_]:
    """Read what `encode_mask` wrote, or the lengths of runs that files before format 10 have.

    StoreError on any other blob and on masks beyond 64 Mpixel.
    """
    if blob[:1] == _RUNS:
        return _decode_runs(blob)
    _, shape, payload = _split(blob, _DEFLATED)
    length = (prod(shape) + 7) // 8
    if prod(shape) > _MAX_PIXELS:
        raise StoreError("a stored mask is damaged: its header makes no sense")
    inflating = zlib.decompressobj(wbits=_RAW_DEFLATE)
    try:
        # A byte more than belongs there: a mask that inflates to more is not inflated to its end.
        packed = inflating.decompress(payload, length + 1)
    except zlib.error as error:
        raise StoreError("a stored mask is damaged: it cannot be inflated") from error
    if len(packed) != length or not inflating.eof:
        raise StoreError(f"a stored mask is damaged: it does not fill {shape}")
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=prod(shape))
    return bits.astype(np.bool_).reshape(shape)


def _decode_runs(blob: bytes) -> NDArray[np.bool_]:
    """Read a mask as the lengths of its runs, row by row, beginning with a run of False."""
    dtype, shape, payload = _split(blob, _RUNS)
    if dtype.kind != "u" or len(payload) % dtype.itemsize or prod(shape) > _MAX_PIXELS:
        raise StoreError("a stored mask is damaged: its header makes no sense")
    runs = np.frombuffer(payload, dtype).astype(np.uint64)
    if int(runs.sum()) != prod(shape):
        raise StoreError(f"a stored mask is damaged: its runs do not fill {shape}")
    return np.repeat(np.arange(runs.size) % 2 == 1, runs.astype(np.int64)).reshape(shape)
