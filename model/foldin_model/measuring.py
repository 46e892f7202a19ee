"""Measures the kinds of index side by side on vectors like trained ones: recall, time, memory.

The kinds that are served come from `foldin_model.indexing`; the approximate ones here are measured
to be compared with them and are not served.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Protocol

import faiss
import numpy as np

from foldin_model.arrays import Floats, Integers
from foldin_model.bounding import Bounds, long_rows_first
from foldin_model.indexing import PrunedIndex

DEPTH: Final = 10
SPREAD: Final = 0.5
_RERANKED: Final = 40
_LINKS: Final = 16
_LISTS_PER_ROOT: Final = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of index over so many rows; the index's own memory, beside the matrix."""

    kind: str
    rows: int
    recall_at_10: float
    latency_us: float
    memory_bytes: int
    build_s: float


class Searched(Protocol):
    """An index under measurement."""

    memory_bytes: int

    def rows(self, query: Floats) -> Integers:
        """The DEPTH rows it holds best for (d,)."""
        ...


def trained_like(rows: int, dimension: int, seed: int) -> Floats:
    """(rows, dimension) vectors in every direction, their lengths log-normal, long rows first."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((rows, dimension), np.float32)
    lengths = np.exp(SPREAD * rng.standard_normal((rows, 1), np.float32))
    vectors *= lengths / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[long_rows_first(vectors, dimension, np.ones(dimension))]


def measure(
    vectors: Floats, queries: Floats, kinds: Sequence[str], rounds: int = 5
) -> list[Measured]:
    """Every kind over (n, d) vectors for (m, d) queries, on one thread.

    A latency is the median over the queries of the quickest of some rounds; the kinds take turns
    at each query, so that what else the machine does befalls all of them.
    """
    faiss.omp_set_num_threads(1)
    built = {kind: _built(KINDS[kind], vectors) for kind in kinds}
    best = np.full((len(kinds), len(queries)), np.inf)
    found = np.zeros(len(kinds))
    for place, query in enumerate(queries):
        scores = vectors @ query
        exact = np.argpartition(-scores, DEPTH)[:DEPTH]
        for number, (index, _) in enumerate(built.values()):
            found[number] += len(np.intersect1d(index.rows(query), exact))
        for _ in range(rounds):
            for number, (index, _) in enumerate(built.values()):
                start = perf_counter()
                index.rows(query)
                best[number, place] = min(best[number, place], perf_counter() - start)
    return [
        Measured(
            kind=kind,
            rows=len(vectors),
            recall_at_10=float(found[number]) / (DEPTH * len(queries)),
            latency_us=float(np.median(best[number])) * 1e6,
            memory_bytes=index.memory_bytes,
            build_s=build_s,
        )
        for number, (kind, (index, build_s)) in enumerate(built.items())
    ]


def _built(make: Callable[[Floats], Searched], vectors: Floats) -> tuple[Searched, float]:
    start = perf_counter()
    index = make(vectors)
    return index, perf_counter() - start


class _Flat:
    def __init__(self, vectors: Floats) -> None:
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        self.memory_bytes = vectors.nbytes

    def rows(self, query: Floats) -> Integers:
        return np.asarray(self._index.search(query[None], DEPTH)[1][0], np.int64)


class _Pruned:
    def __init__(self, vectors: Floats) -> None:
        bounds = Bounds.of(vectors, vectors.shape[1])
        self._index = PrunedIndex(vectors, bounds)
        self.memory_bytes = bounds.lengths.nbytes

    def rows(self, query: Floats) -> Integers:
        return self._index.search(query, DEPTH, None, np.inf).rows[:DEPTH].astype(np.int64)


class _Half:
    """Sixteen bits a number, the best rows scored again exactly."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors
        kind = faiss.ScalarQuantizer.QT_bf16
        self._index = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        self._index.train(vectors[:1])
        self._index.add(vectors)
        self.memory_bytes = vectors.nbytes // 2

    def rows(self, query: Floats) -> Integers:
        rows = self._index.search(query[None], _RERANKED)[1][0]
        order = np.argsort(-(self._vectors[rows] @ query), kind="stable")
        return np.asarray(rows[order[:DEPTH]], np.int64)


class _Augmented:
    """Nearest neighbours after a column that makes all rows equally long.

    Then the nearest row has the greatest inner product (Bachrach et al., RecSys 2014); without
    it a graph or a partition loses the long rows.
    """

    def __init__(self, vectors: Floats) -> None:
        squares = np.einsum("nd,nd->n", vectors, vectors)
        column = np.sqrt(squares.max() - squares)[:, None]
        augmented = np.ascontiguousarray(np.hstack((vectors, column)), np.float32)
        self._index = self.index(augmented.shape[1], len(vectors))
        self._index.train(augmented)
        self._index.add(augmented)
        self.memory_bytes = int(faiss.serialize_index(self._index).nbytes)

    def index(self, dimension: int, rows: int) -> faiss.Index:
        raise NotImplementedError

    def rows(self, query: Floats) -> Integers:
        asked = np.append(query, np.float32(0))[None]
        return np.asarray(self._index.search(asked, DEPTH)[1][0], np.int64)


class _Graph(_Augmented):
    def index(self, dimension: int, rows: int) -> faiss.Index:  # noqa: ARG002
        made = faiss.IndexHNSWFlat(dimension, _LINKS)
        made.hnsw.efConstruction = 100
        made.hnsw.efSearch = 128
        return made


class _Lists(_Augmented):
    def index(self, dimension: int, rows: int) -> faiss.Index:
        lists = _LISTS_PER_ROOT * int(np.sqrt(rows))
        made = faiss.IndexIVFFlat(faiss.IndexFlatL2(dimension), dimension, lists)
        made.nprobe = max(1, lists // 32)
        made.cp.niter = 5
        return made


KINDS: Final[Mapping[str, Callable[[Floats], Searched]]] = {
    "flat": _Flat,
    "pruned": _Pruned,
    "half": _Half,
    "ivf": _Lists,
    "hnsw": _Graph,
}
EXACT: Final = ("flat", "pruned")
