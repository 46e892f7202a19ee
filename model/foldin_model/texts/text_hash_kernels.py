"""A table that finds strings of bytes by hash, in machine code."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Integers, Rows
from foldin_model.machine_code import ROWS, STARTS, compiled

NOBODY: Final = -1
_BYTES: Final = "Array(uint8, 1, 'C', True)"
_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_HALF: Final = np.uint64(32)


@compiled()
def _slot(packed: NDArray[np.uint8], start: int, end: int, slots: int) -> np.int64:
    """Where the search for a string begins among `slots`, a power of two: by 64-bit FNV-1a."""
    hashed = _BASIS
    for place in range(start, end):
        hashed = (hashed ^ np.uint64(packed[place])) * _PRIME
    return np.int64((hashed ^ hashed >> _HALF) & np.uint64(slots - 1))


@compiled(f"void({_BYTES}, {STARTS}, int32[::1])")
def fill(packed: NDArray[np.uint8], offsets: Integers, table: Rows) -> None:
    """Puts the number of each of (n,) strings into a table of NOBODY, a power of two over n.

    The i-th is `packed[offsets[i] : offsets[i + 1]]`.
    """
    for number in range(len(offsets) - 1):
        slot = _slot(packed, offsets[number], offsets[number + 1], len(table))
        while table[slot] != NOBODY:
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
    asked: NDArray[np.uint8],
    begin: int,
    size: int,
) -> np.int64:
    """The number of one string, `asked[begin : begin + size]`, or NOBODY."""
    slot = _slot(asked, begin, begin + size, len(table))
    while table[slot] != NOBODY:
        number = table[slot]
        start = offsets[number]
        if offsets[number + 1] - start == size and _same(packed, start, asked, begin, size):
            return np.int64(number)
        slot = (slot + 1) & (len(table) - 1)
    return np.int64(NOBODY)


@compiled(f"int64({_BYTES}, {STARTS}, {ROWS}, {_BYTES})")
def find_one(
    packed: NDArray[np.uint8], offsets: Integers, table: Rows, asked: NDArray[np.uint8]
) -> int:
    """What `find` gives for a single string."""
    return int(_found(packed, offsets, table, asked, 0, len(asked)))


@compiled(f"int64[::1]({_BYTES}, {STARTS}, {ROWS}, {_BYTES}, {STARTS})")
def find(
    packed: NDArray[np.uint8],
    offsets: Integers,
    table: Rows,
    asked: NDArray[np.uint8],
    asked_offsets: Integers,
) -> Integers:
    """The numbers of (m,) strings that are `asked` for, NOBODY for those that there are not.

    `packed`, `offsets` and `table` are those of `fill`.
    """
    found = np.empty(len(asked_offsets) - 1, np.int64)
    for place in range(len(found)):
        begin, size = asked_offsets[place], asked_offsets[place + 1] - asked_offsets[place]
        found[place] = _found(packed, offsets, table, asked, begin, size)
    return found
