"""Similar items, which the same users like: the nearest rows of the similarity matrix.

Rows are at most of unit length, and shorter for items with few ratings, so that the inner product
is a shrunk cosine.
"""

import numpy as np

from foldin_model.arrays import Mask
from foldin_model.retrieval.search import Cursor, Hits, search_space
from foldin_model.trained.snapshot import Snapshot


def similar_items(
    snapshot: Snapshot,
    row: int,
    allowed: Mask | None,
    count: int,
    after: Cursor | None = None,
) -> Hits:
    """Returns the first `count` allowed items similar to the one at `row`, after the cursor."""
    others = np.ones(len(snapshot), np.bool_) if allowed is None else allowed.copy()
    others[row] = False
    query = snapshot.model.similarity[row].astype(np.float64)
    return search_space(snapshot.similarity, query, others, count, after)
