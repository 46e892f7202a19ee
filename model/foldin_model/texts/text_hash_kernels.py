"""Kernels in machine code: a hash table that finds strings of bytes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Integers, Rows
from foldin_model.machine_code import ROWS, STARTS, compiled

MISSING: Final = -1
_BYTES: Final = "Array(uint8, 1, 'C', True)"
_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_HALF: Final = np.uint64(32)


@compiled()
def _slot(packed: NDArray[np.uint8], start: int, end: int, slots: int) -> np.int64:
    """Returns the first of `slots`, a power of two, to try for a string; by 64-bit FNV-1a."""
    hashed = _BASIS
    for place in range(start, end):
        hashed = (hashed ^ np.uint64(packed[place])) * _PRIME
    return np.int64((hashed ^ hashed >> _HALF) & np.uint64(slots - 1))


@compiled(f"void({_BYTES}, {STARTS}, int32[::1])")
def fill(packed: NDArray[np.uint8], offsets: Integers, table: Rows) -> None:
    """Puts the number of each of n strings into `table`, which is full of MISSING.

    The i-th string is `packed[offsets[i] : offsets[i + 1]]`. The table's length is a power of two
    greater than n.
    """
    for number in range(len(offsets) - 1):
        slot = _slot(packed, offsets[number], offsets[number + 1], len(table))
        while table[slot] != MISSING:
            slot = (slot + 1) & (len(table) - 1)
        table[slot] = number


@compiled()
def _same(
    packed: NDArray[np.uint8], start: int, other: NDArray[np.uint8], begin: int, size: int
) -> bool:
    place = 0
    while place < size and packed[start + place] == other[begin + place]:
        place += 1
    return place == size


@compiled()
def _found(  # noqa: PLR0917 (numba is quickest with arguments that have no names)
    packed: NDArray[np.uint8],
    offsets: Integers,
    table: Rows,
    wanted: NDArray[np.uint8],
    begin: int,
    size: int,
) -> np.int64:
    """Returns the number of one string, `wanted[begin : begin + size]`, or MISSING."""
    slot = _slot(wanted, begin, begin + size, len(table))
    while table[slot] != MISSING:
        number = table[slot]
        start = offsets[number]
        if offsets[number + 1] - start == size and _same(packed, start, wanted, begin, size):
            return np.int64(number)
        slot = (slot + 1) & (len(table) - 1)
    return np.int64(MISSING)


@compiled(f"int64({_BYTES}, {STARTS}, {ROWS}, {_BYTES})")
def find_one(
    packed: NDArray[np.uint8], offsets: Integers, table: Rows, wanted: NDArray[np.uint8]
) -> int:
    """Returns the number of the string `wanted`, or MISSING."""
    return int(_found(packed, offsets, table, wanted, 0, len(wanted)))


@compiled(f"int64[::1]({_BYTES}, {STARTS}, {ROWS}, {_BYTES}, {STARTS})")
def find(
    packed: NDArray[np.uint8],
    offsets: Integers,
    table: Rows,
    wanted: NDArray[np.uint8],
    wanted_offsets: Integers,
) -> Integers:
    """Returns the numbers of the m strings in `wanted`, MISSING for strings without one.

    `packed`, `offsets` and `table` are as in `fill`; `wanted_offsets` is (m + 1,).
    """
    found = np.empty(len(wanted_offsets) - 1, np.int64)
    for place in range(len(found)):
        begin, size = wanted_offsets[place], wanted_offsets[place + 1] - wanted_offsets[place]
        found[place] = _found(packed, offsets, table, wanted, begin, size)
    return found
