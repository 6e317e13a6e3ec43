"""Small whole numbers in few bits: Golomb-Rice codes (Rice & Plaunt 1971).

A number's lowest bits are stored as they are, as many as the row's first byte says; what is above
them follows in unary, zeros ended by a one. Numbers of either sign are folded to 0, 1, 2 ... by
their size first, so that most are short.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from db.errors import StoreError

_MOST_LOW: Final = 16
# Numbers that are taken apart at once: a few MB of bits.
_AT_ONCE: Final = 1 << 19


def encode(numbers: NDArray[np.integer[Any]]) -> bytes:
    """Write numbers below 2**40 in size in the fewest bits that a row of such codes has."""
    wide = np.asarray(numbers, np.int64).ravel()
    folded = np.where(wide < 0, -2 * wide - 1, 2 * wide)
    # Numbers that fall off as in a geometric row have the best beside the logarithm of their mean.
    middle = int(folded.mean()).bit_length() if folded.size else 0
    tried = range(min(max(0, middle - 2), _MOST_LOW), min(middle + 1, _MOST_LOW) + 1)
    low = min(tried, key=lambda bits: bits * folded.size + int((folded >> bits).sum()))
    ends = np.cumsum((folded >> low) + 1)
    unary = np.zeros(int(ends[-1]) if ends.size else 0, np.uint8)
    unary[ends - 1] = 1
    bits = (folded[:, None] >> np.arange(low)[::-1]).astype(np.uint8) & 1  # (n, low)
    return bytes([low]) + np.packbits(bits).tobytes() + np.packbits(unary).tobytes()


def decode(rows: Sequence[bytes | memoryview], count: int) -> NDArray[np.int64]:
    """Read rows that hold `count` numbers each, as (n, count); StoreError on any other bytes."""
    found = np.empty((len(rows), count), np.int64)
    lows = np.array([row[0] if len(row) else _MOST_LOW + 1 for row in rows], np.int64)
    if lows.max(initial=0) > _MOST_LOW:
        raise StoreError("a stored array is damaged: its codes make no sense")
    step = max(1, _AT_ONCE // max(count, 1))
    for low in np.unique(lows).tolist():
        places = np.flatnonzero(lows == low)
        for start in range(0, len(places), step):
            part = places[start : start + step]
            found[part] = _decode([rows[place] for place in part], count, low)
    return found


def _decode(rows: Sequence[bytes | memoryview], count: int, low: int) -> NDArray[np.int64]:
    """Read rows whose numbers have the same count of lowest bits."""
    length = 1 + (count * low + 7) // 8
    lowest = b"".join(row[1:length] for row in rows)
    if len(lowest) != len(rows) * (length - 1):
        raise StoreError("a stored array is damaged: its codes end too soon")
    packed = np.frombuffer(lowest, np.uint8).reshape(len(rows), -1)
    bits = np.unpackbits(packed, axis=1, count=count * low).reshape(len(rows), count, low)
    folded = np.zeros((len(rows), count), np.int64)
    if low:
        octets = np.packbits(bits, axis=2)  # (n, count, 1 or 2), filled up with zeros
        for place in range(octets.shape[2]):
            folded = folded << 8 | octets[:, :, place]
        folded >>= 8 * octets.shape[2] - low
    sizes = np.array([len(row) - length for row in rows], np.int64)
    ends = 8 * np.cumsum(sizes)
    unary = np.frombuffer(b"".join(row[length:] for row in rows), np.uint8)
    ones = np.flatnonzero(np.unpackbits(unary))
    if ones.size != folded.size:
        raise StoreError("a stored array is damaged: its codes do not fill it")
    places: NDArray[np.int64] = ones.reshape(len(rows), count)
    before = np.concatenate(((ends - 8 * sizes)[:, None] - 1, places[:, :-1]), axis=1)
    # As many ones as there are numbers, yet one row has another's: seen at the rows' ends.
    if count and ((places[:, 0] <= before[:, 0]).any() or (places[:, -1] >= ends).any()):
        raise StoreError("a stored array is damaged: its codes do not fill it")
    folded |= (places - before - 1) << low
    return np.where(folded & 1, -(folded >> 1) - 1, folded >> 1)
