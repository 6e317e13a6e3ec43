"""Arrays and bool masks as bytes that state what they are.

A blob states what it holds (magic byte, dtype, shape), and every reader checks the statement
against the blob's length before it builds an array, because a file may come from anybody.

Features, maps and PMI are stored in even steps: what float16 spends on the smallest of their
components is below what any sum of them shows, and Rice codes make half of the rest.
"""

import struct
import zlib
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db import rice
from db.errors import StoreError

_ARRAY, _STEPS, _BITS = b"A", b"S", b"B"
_EDGES, _DEFLATED, _RUNS = b"E", b"Z", b"R"
# The code in a blob's second byte. Codes are for good: add, never renumber.
_DTYPES = {1: "<f2", 2: "<f4", 3: "<i8", 4: "|u1", 5: "<u2", 6: "<u4", 7: "|i1"}
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}
_MAX_DIMENSIONS = 3
# A blob of a few bytes could otherwise ask for 2**64 pixels.
_MAX_PIXELS = 1 << 26
# Deflate without a header and a checksum of its own.
_RAW_DEFLATE = -15
# Whole steps beyond these are no features, maps or PMI, and would not fit what they are coded in.
_MOST_STEPS = 1 << 30
_FINEST = 30


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


def encode_steps(array: NDArray[Any], halvings: int) -> bytes:
    """Write an array rounded to steps of 2 ** -halvings; it is read as of the dtype it has.

    ValueError on NaN, infinity, dtypes without a sign, and values beyond 2 ** 30 steps.
    """
    dtype = array.dtype.newbyteorder("<")
    if dtype.kind not in "fi" or dtype not in _CODES or array.ndim > _MAX_DIMENSIONS:
        raise ValueError(f"cannot store an array of dtype {array.dtype} and shape {array.shape}")
    steps = np.rint(np.ldexp(array.astype(np.float64), halvings))
    if not (np.abs(steps) <= _MOST_STEPS).all():
        raise ValueError("cannot store an array that holds NaN, infinity or too large numbers")
    head = _header(_STEPS, dtype, array.shape) + bytes([halvings])
    return head + rice.encode(steps.astype(np.int64))


def decode_array(blob: bytes) -> NDArray[Any]:
    """Read what `encode_array` or `encode_steps` wrote; StoreError on any other blob."""
    if blob[:1] == _STEPS:
        dtype, shape, payload = _split(blob, _STEPS)
        (array,) = _in_steps([payload], dtype, shape)
        return np.asarray(array)
    dtype, shape, payload = _split(blob, _ARRAY)
    if len(payload) != prod(shape) * dtype.itemsize:
        raise StoreError(f"a stored array is damaged: {len(payload)} bytes do not fill {shape}")
    return np.frombuffer(payload, dtype).reshape(shape)


def decode_stack(blobs: Sequence[bytes]) -> NDArray[Any]:
    """Read n vectors of one dtype and length D into one (n, D) array, without a call per vector."""
    if not blobs:
        return np.empty((0, 0), np.float16)
    if any(blob[:1] == _STEPS for blob in blobs):
        return _stack_steps(blobs)
    first = decode_array(blobs[0])
    header = blobs[0][: len(blobs[0]) - first.nbytes]
    if first.ndim != 1 or any(
        len(blob) != len(blobs[0]) or not blob.startswith(header) for blob in blobs
    ):
        raise StoreError("stored embeddings of one kind differ in length: the file is damaged")
    rows = np.frombuffer(b"".join(blobs), np.uint8).reshape(len(blobs), -1)  # (n, header + D bytes)
    return np.ascontiguousarray(rows[:, len(header) :]).view(first.dtype)


def _stack_steps(blobs: Sequence[bytes]) -> NDArray[Any]:
    """Read vectors of which some are in steps: those before format 11 are not."""
    whole = [place for place, blob in enumerate(blobs) if blob[:1] != _STEPS]
    coded = [place for place, blob in enumerate(blobs) if blob[:1] == _STEPS]
    parts = [_split(blobs[place], _STEPS) for place in coded]
    dtype, shape, _ = parts[0]
    if len(shape) != 1 or any(part[:2] != (dtype, shape) for part in parts):
        raise StoreError("stored embeddings of one kind differ in length: the file is damaged")
    if not whole:
        return _in_steps([part[2] for part in parts], dtype, shape)
    before = decode_stack([blobs[place] for place in whole])
    if before.shape[1:] != shape or before.dtype != dtype:
        raise StoreError("stored embeddings of one kind differ in length: the file is damaged")
    stacked = np.empty((len(blobs), *shape), dtype)
    stacked[whole] = before
    stacked[coded] = _in_steps([part[2] for part in parts], dtype, shape)
    return stacked


def _in_steps(
    payloads: Sequence[memoryview], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Read arrays (n, *shape) from their steps' sizes and codes."""
    # A code has a bit at least: a short blob asks for no large array.
    if dtype.kind not in "fi" or any(
        not payload or payload[0] > _FINEST or prod(shape) > 8 * len(payload)
        for payload in payloads
    ):
        raise StoreError("a stored array is damaged: its header makes no sense")
    steps = rice.decode([payload[1:] for payload in payloads], prod(shape))
    if np.abs(steps).max(initial=0) > _MOST_STEPS:
        raise StoreError("a stored array is damaged: it holds too large numbers")
    halvings = np.array([payload[0] for payload in payloads])[:, None]
    with np.errstate(over="ignore"):
        wide = np.ldexp(steps.astype(np.float64), -halvings)
        values: NDArray[Any] = wide.astype(dtype)
    # Float16 is finite to 65,504, and int8 wraps around.
    if not np.isfinite(values).all() or (dtype.kind == "i" and (values != wide).any()):
        raise StoreError("a stored array is damaged: it holds too large numbers")
    return values.reshape(len(payloads), *shape)


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
    """Write a mask in pixels by where its runs end, each beside the same edge one row above.

    ValueError beyond 64 Mpixel, which `decode_mask` would refuse.
    """
    if mask.size > _MAX_PIXELS or mask.ndim != 2:
        raise ValueError(f"cannot store a mask of shape {mask.shape}")
    line = np.concatenate((np.zeros(1, np.bool_), mask.ravel()))
    edges = np.flatnonzero(line[1:] != line[:-1])
    steps = edges.copy()
    steps[2:] -= edges[:-2] + mask.shape[1]
    folded = np.where(steps < 0, -2 * steps - 1, 2 * steps).astype("<u4")
    # Octets of one place together: all but the lowest are mostly zeros.
    octets = folded[:, None].view(np.uint8).T.tobytes()
    deflated = zlib.compress(octets, 9, wbits=_RAW_DEFLATE)
    return _header(_EDGES, np.dtype(np.uint8), mask.shape) + deflated


def decode_mask(blob: bytes) -> NDArray[np.bool_]:
    """Read what `encode_mask` wrote, or as files before format 11 and before format 10 have it.

    StoreError on any other blob and on masks beyond 64 Mpixel.
    """
    if blob[:1] == _RUNS:
        return _decode_runs(blob)
    if blob[:1] == _DEFLATED:
        return _decode_deflated(blob)
    _, shape, payload = _split(blob, _EDGES)
    if len(shape) != 2 or prod(shape) > _MAX_PIXELS:
        raise StoreError("a stored mask is damaged: its header makes no sense")
    octets = _inflated(payload, 4 * prod(shape))
    if len(octets) % 4:
        raise StoreError(f"a stored mask is damaged: it does not fill {shape}")
    folded = np.frombuffer(octets, np.uint8).reshape(4, -1).T.copy().view("<u4")[:, 0]
    steps = np.where(folded & 1, -(folded.astype(np.int64) >> 1) - 1, folded >> 1)
    steps[2:] += shape[1]
    edges = np.empty_like(steps)
    edges[::2], edges[1::2] = np.cumsum(steps[::2]), np.cumsum(steps[1::2])
    if edges.size and (edges[0] < 0 or edges[-1] >= prod(shape) or (np.diff(edges) <= 0).any()):
        raise StoreError(f"a stored mask is damaged: it does not fill {shape}")
    runs = np.diff(edges, prepend=0, append=prod(shape))
    return np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(shape)


def _inflated(payload: memoryview, most: int) -> bytes:
    """Inflate at most so many bytes; StoreError where there are more, or none that can be."""
    inflating = zlib.decompressobj(wbits=_RAW_DEFLATE)
    try:
        # A byte more than belongs there: what inflates to more is not inflated to its end.
        octets = inflating.decompress(payload, most + 1)
    except zlib.error as error:
        raise StoreError("a stored mask is damaged: it cannot be inflated") from error
    if len(octets) > most or not inflating.eof:
        raise StoreError("a stored mask is damaged: it inflates to another length")
    return octets


def _decode_deflated(blob: bytes) -> NDArray[np.bool_]:
    """Read a mask of one bit a pixel, deflated."""
    _, shape, payload = _split(blob, _DEFLATED)
    length = (prod(shape) + 7) // 8
    if prod(shape) > _MAX_PIXELS:
        raise StoreError("a stored mask is damaged: its header makes no sense")
    packed = _inflated(payload, length)
    if len(packed) != length:
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
