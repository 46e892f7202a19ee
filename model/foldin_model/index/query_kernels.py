"""Kernels in machine code that prepare the queries of a search: int8 codes and ceilings."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles
from foldin_model.machine_code import QUERIES, compiled

MAX_CODE: Final = 127  # the greatest int8 code in use


@compiled(f"Tuple((int8[:, ::1], float64[::1], float64[::1], float64[::1]))({QUERIES}, float64)")
def quantize(rows: Doubles, smallest: float) -> tuple[NDArray[np.int8], Doubles, Doubles, Doubles]:
    """Quantizes each of (m, d) rows to int8 with a scale of its own, at least `smallest`.

    Returns (m, d) codes, the scales (m,), the lengths (m,) of the rows and those (m,) of the
    rounding errors.
    """
    codes = np.empty(rows.shape, np.int8)
    scales, lengths, errors = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for place in range(len(rows)):
        largest = squares = error_squares = 0.0
        for column in range(rows.shape[1]):
            largest = max(largest, abs(rows[place, column]))
        scale = max(largest / MAX_CODE, smallest)
        for column in range(rows.shape[1]):
            number = rows[place, column]
            rounded = np.rint(number / scale)
            codes[place, column] = np.int8(rounded)
            squares += number**2
            error_squares += (number - rounded * scale) ** 2
        scales[place] = scale
        lengths[place], errors[place] = np.sqrt(squares), np.sqrt(error_squares)
    return codes, scales, lengths, errors


@compiled(f"float64[:, ::1]({QUERIES}, int64, {QUERIES})")
def ceilings(lengths: Doubles, cut: int, queries: Doubles) -> Doubles:
    """Returns (m, blocks): the most that rows of these lengths can score for (m, d) queries.

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
