"""The canonical score of an item for a query: the same to the last bit wherever it is computed."""

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.index import scan_kernels


def canonical_scores(
    vectors: Floats, rows: Rows, query: Doubles, owners: Integers | None = None
) -> Doubles:
    """Returns the score of each of (n,) rows of `vectors` for `query` (d,), each row by itself.

    With `owners` (n,) the i-th row is scored for the `owners[i]`-th of (m, d) queries.
    """
    chosen, query = np.ascontiguousarray(vectors[rows]), np.ascontiguousarray(query)
    if owners is None:
        return scan_kernels.scores(chosen, query)
    return scan_kernels.owned_scores(chosen, query, owners)
