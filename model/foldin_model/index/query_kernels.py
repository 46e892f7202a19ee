"""What a search makes of its queries, in machine code: whole numbers and ceilings."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles
from foldin_model.machine_code import QUERIES, compiled

MOST: Final = 127  # the greatest whole number that is used of int8


@compiled(f"Tuple((int8[:, ::1], float64[::1], float64[::1], float64[::1]))({QUERIES}, float64)")
def whole_numbers(
    rows: Doubles, smallest: float
) -> tuple[NDArray[np.int8], Doubles, Doubles, Doubles]:
    """Each of (m, d) rows as int8 times a unit of its own, `smallest` at least.

    What is given: (m, d) int8, the units (m,), the lengths (m,) of the rows and those of what
    rounding took from them.
    """
    whole = np.empty(rows.shape, np.int8)
    units, lengths, lost = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for place in range(len(rows)):
        largest = squares = lost_squares = 0.0
        for column in range(rows.shape[1]):
            largest = max(largest, abs(rows[place, column]))
        unit = max(largest / MOST, smallest)
        for column in range(rows.shape[1]):
            number = rows[place, column]
            rounded = np.rint(number / unit)
            whole[place, column] = np.int8(rounded)
            squares += number**2
            lost_squares += (number - rounded * unit) ** 2
        units[place], lengths[place], lost[place] = unit, np.sqrt(squares), np.sqrt(lost_squares)
    return whole, units, lengths, lost


@compiled(f"float64[:, ::1]({QUERIES}, int64, {QUERIES})")
def ceilings(lengths: Doubles, cut: int, queries: Doubles) -> Doubles:
    """(m, blocks): the most that rows of certain lengths can score for (m, d) queries.

    `lengths` (blocks, 3) are those of whole rows, of first parts up to `cut` and of second parts.
    """
    bounds = np.empty((len(queries), len(lengths)))
    cut = min(cut, queries.shape[1])
    for place in range(len(queries)):
        first = second = 0.0
        for column in range(cut):
            first += queries[place, column] ** 2
        for column in range(cut, queries.shape[1]):
            second += queries[place, column] ** 2
        whole, first, second = np.sqrt(first + second), np.sqrt(first), np.sqrt(second)
        for block in range(len(lengths)):
            parts = first * lengths[block, 1] + second * lengths[block, 2]
            bounds[place, block] = min(whole * lengths[block, 0], parts)
    return bounds
