"""Bounds of the rounding error of float32 inner products."""

from typing import Final

import numpy as np

from foldin_model.arrays import Doubles

FLOAT32_UNIT: Final = 2.0**-24


def rounding_bound(queries: Doubles, longest: float) -> Doubles:
    """Returns how far a float32 inner product of a query and a row can be from the exact one.

    `queries` are (..., d), the result (...); no row is longer than `longest`. The bound of Higham,
    Accuracy and Stability of Numerical Algorithms, 2002, section 3.1, for any order of summation,
    plus the rounding of the query itself.
    """
    lengths = np.sqrt(np.vecdot(queries, queries))
    return np.asarray((queries.shape[-1] + 2) * FLOAT32_UNIT * longest * lengths)


def float32_below(bound: float) -> float:
    """Returns a float32 below `bound`, so that comparing with it rounds nothing."""
    return float(np.nextafter(np.float32(bound), np.float32(-np.inf)))


def float32_above(bound: float) -> float:
    """Returns a float32 above `bound`, so that comparing with it rounds nothing."""
    return -float32_below(-bound)
