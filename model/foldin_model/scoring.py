"""The score of an item for a query, to the last bit the same wherever it is computed."""

import numpy as np

from foldin_model import scan_kernels
from foldin_model.arrays import Doubles, Floats, Rows


def canonical_scores(vectors: Floats, rows: Rows, query: Doubles) -> Doubles:
    """The score of each of (n,) rows of `vectors` for `query` (d,), whatever the other rows are.

    With (n, d) queries each row has its own.
    """
    score = scan_kernels.scores if query.ndim == 1 else scan_kernels.paired_scores
    return score(np.ascontiguousarray(vectors[rows]), np.ascontiguousarray(query))
