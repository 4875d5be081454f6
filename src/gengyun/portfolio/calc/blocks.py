"""Days of many customers in few bytes: blocks of neighbouring keys, one number per key."""

import zlib
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gengyun.portfolio.calc.vector import Yes

SIZE = 16_384  # keys of a block
Days = NDArray[np.int32]  # date.toordinal(); 0: no day


def block_of(key: int) -> int:
    return key // SIZE


def keys_of(block: int) -> tuple[int, int]:
    """The first and the last key of a block."""
    return block * SIZE, (block + 1) * SIZE - 1


def pack(days: Days) -> bytes:
    """Most neighbours say the same, so that a block takes a few hundred bytes."""
    return zlib.compress(days.astype("<i4").tobytes(), level=1)


def unpack(stored: bytes | memoryview | None) -> Days:
    if stored is None:
        return np.zeros(SIZE, np.int32)
    return np.frombuffer(zlib.decompress(stored), "<i4").astype(np.int32)


def carry_on(since: Days, now: Yes, day: date) -> Days:
    """True since the day it was, or since `day`; 0 where it is not."""
    return np.where(now, np.where(since > 0, since, day.toordinal()), 0).astype(np.int32)
