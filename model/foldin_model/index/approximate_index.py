"""Approximate indexes, for catalogs where even the pruned scan takes long.

They answer searches without a filter. The exact scan over the same matrix answers the others, so
that filters, later pages and small selections are exact with every kind. Trainers never import
this module; see `foldin_model.index.index_builder`.
"""

from collections.abc import Callable, Mapping
from typing import Final

import faiss
import numpy as np

from foldin_model.arrays import Floats, Integers, Mask
from foldin_model.errors import ArtifactCorrupt
from foldin_model.index.exact_index import Proposal, PrunedIndex

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

MAX_HIDDEN: Final = 2_000
"""Rows that may be hidden, such as those a user has seen, before the exact scan takes over."""
MARGIN: Final = 32
_LINKS: Final = 16
_LISTS_PER_ROOT: Final = 2
_PROBED: Final = 32  # one of this many lists is probed


class ApproximateIndex:
    """An `Index` whose candidates come from faiss and whose scores come from the matrix itself.

    Its `rest` is the score of the last candidate; rows that the index missed may score above it.
    The recall in the manifest says how many, on average. `stored` is not copied where faiss can
    read it in place.
    """

    def __init__(self, kind: str, vectors: Floats, stored: Bytes, exact: PrunedIndex) -> None:
        self._vectors = vectors
        self._exact = exact
        self._stored = stored  # faiss reads from it for as long as the index lives
        try:
            # The stubs of faiss lack this class.
            reader = faiss.ZeroCopyIOReader(faiss.swig_ptr(stored), len(stored))  # type: ignore[attr-defined]
            self._index = faiss.read_index(reader)
        except RuntimeError as error:
            raise ArtifactCorrupt(f"the {kind} index can't be read: {error}") from error
        rows, dimension = vectors.shape
        augmented = dimension + (kind in AUGMENTED)
        if (self._index.ntotal, self._index.d) != (rows, augmented):
            raise ArtifactCorrupt(
                f"the {kind} index has {self._index.ntotal} rows of {self._index.d} numbers; "
                f"the model has {rows} of {augmented}"
            )

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """Proposes rows as `Index.search`, except rows that the index misses."""
        hidden = 0 if allowed is None else len(allowed) - int(np.count_nonzero(allowed))
        if below < np.inf or hidden > MAX_HIDDEN:
            return self._exact.search(query, count, allowed, below)
        rows = nearest(self._index, query, count + MARGIN + hidden).astype(np.int32)
        if allowed is not None:
            rows = rows[allowed[rows]]
        if len(rows) < count:
            return self._exact.search(query, count, allowed, below)
        scores = np.asarray(self._vectors[rows] @ query, np.float32)
        order = np.argsort(-scores, kind="stable")
        return Proposal(rows[order], scores[order], float(scores[order[-1]]))


def nearest(index: faiss.Index, query: Floats, count: int) -> Integers:
    """Returns at most `count` rows that the index finds best for `query` (d,), without padding."""
    wide = np.zeros(index.d, np.float32)  # a column beyond the query's is 0 in a query
    wide[: len(query)] = query
    rows = index.search(wide[None], min(count, index.ntotal))[1][0]
    return np.asarray(rows[rows >= 0], np.int64)


def make(kind: str, vectors: Floats) -> faiss.Index:
    """Builds the index of a kind of `APPROXIMATE` over (n, d) vectors, with all its settings."""
    rows = _equally_long(vectors) if kind in AUGMENTED else np.ascontiguousarray(vectors)
    index = APPROXIMATE[kind](rows.shape[1], len(rows))
    index.train(rows)
    index.add(rows)
    return index


def _equally_long(vectors: Floats) -> Floats:
    """Returns the vectors with a column more that makes all as long as the longest.

    Then the nearest row has the greatest inner product (Bachrach et al., RecSys 2014); without
    that, a graph or a partition loses the long rows.
    """
    squares = np.einsum("nd,nd->n", vectors, vectors)
    column = np.sqrt(np.maximum(squares.max(initial=0.0) - squares, 0.0))[:, None]
    return np.ascontiguousarray(np.hstack((vectors, column)), np.float32)


def _half(dimension: int, _: int) -> faiss.Index:
    kind = faiss.ScalarQuantizer.QT_bf16
    return faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT)


def _lists(dimension: int, rows: int) -> faiss.Index:
    lists = max(1, _LISTS_PER_ROOT * int(np.sqrt(rows)))
    made = faiss.IndexIVFFlat(faiss.IndexFlatL2(dimension), dimension, lists)
    made.nprobe = max(1, lists // _PROBED)
    made.cp.niter = 5
    return made


def _graph(dimension: int, _: int) -> faiss.Index:
    made = faiss.IndexHNSWFlat(dimension, _LINKS)
    made.hnsw.efConstruction = 100
    made.hnsw.efSearch = 128
    return made


AUGMENTED: Final = frozenset(("ivf", "hnsw"))
APPROXIMATE: Final[Mapping[str, Callable[[int, int], faiss.Index]]] = {
    "half": _half,
    "ivf": _lists,
    "hnsw": _graph,
}
