"""The score of an item for a query, to the last bit the same wherever it is computed."""

import numpy as np

from foldin_model.arrays import Doubles, Floats, Rows


def canonical_scores(vectors: Floats, rows: Rows, query: Doubles) -> Doubles:
    """The score of each of (n,) rows of `vectors` for `query` (d,), whatever the other rows are.

    With (n, d) queries each row has its own.
    """
    products = vectors[rows].astype(np.float64)
    products *= query
    return np.asarray(products.sum(axis=1), np.float64)
