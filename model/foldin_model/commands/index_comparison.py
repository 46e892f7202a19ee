"""Compares the kinds of index on made vectors: recall, time, memory.

They are searched as a server does, through `foldin_model.index` and `foldin_model.retrieval`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Final, Protocol

import faiss
import numpy as np

from foldin_model.arrays import Floats, Integers
from foldin_model.index.approximate_index import ApproximateIndex, make
from foldin_model.index.bounds import Bounds, long_rows_first
from foldin_model.index.exact_index import PrunedIndex, Space
from foldin_model.index.index_builder import APPROXIMATE_KINDS
from foldin_model.retrieval.search import search_space

DEPTH: Final = 10
SPREAD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one kind of index; `memory_bytes` is its own, without the matrix of items."""

    kind: str
    rows: int
    recall_at_10: float
    latency_us: float
    memory_bytes: int
    build_s: float


class MeasuredIndex(Protocol):
    """An index under measurement, with all that a search needs."""

    @property
    def memory_bytes(self) -> int:
        """The memory that it holds now."""
        ...

    def rows(self, query: Floats) -> Integers:
        """Returns the DEPTH rows that it finds best for a query (d,)."""
        ...


def trained_like(rows: int, dimension: int, seed: int) -> Floats:
    """Returns (rows, dimension) vectors of random directions and log-normal lengths, long first."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((rows, dimension), np.float32)
    lengths = np.exp(SPREAD * rng.standard_normal((rows, 1), np.float32))
    vectors *= lengths / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[long_rows_first(vectors, dimension, np.ones(dimension))]


def measure(
    vectors: Floats, queries: Floats, kinds: Sequence[str], rounds: int = 5
) -> list[Measured]:
    """Measures every kind over (n, d) vectors for (m, d) queries, on one thread.

    A latency is the median over the queries of the fastest of `rounds` searches. The kinds take
    turns at each query, so that other load on the machine affects all of them alike.
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


def _built(make: Callable[[Floats], MeasuredIndex], vectors: Floats) -> tuple[MeasuredIndex, float]:
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
        typical = np.random.default_rng(0).standard_normal((1, vectors.shape[1]))[0]
        space = Space.of(vectors, kind="pruned", quantized=True)
        self._space = space.prepared(typical, DEPTH)

    @property
    def memory_bytes(self) -> int:
        return 0 if self._space.quantized is None else self._space.quantized.memory_bytes

    def rows(self, query: Floats) -> Integers:
        return search_space(self._space, query.astype(float), None, DEPTH).rows.astype(np.int64)


class _Approximate:
    """Takes candidates from faiss and their scores from the matrix, as a server does."""

    def __init__(self, kind: str, vectors: Floats) -> None:
        stored = faiss.serialize_index(make(kind, vectors))
        bounds = Bounds.of(vectors, vectors.shape[1])
        self._index = ApproximateIndex(kind, vectors, stored, PrunedIndex(vectors, bounds))
        self.memory_bytes = len(stored)

    def rows(self, query: Floats) -> Integers:
        return self._index.search(query, DEPTH, None, np.inf).rows[:DEPTH].astype(np.int64)


KINDS: Final[Mapping[str, Callable[[Floats], MeasuredIndex]]] = {
    "flat": _Flat,
    "pruned": _Pruned,
    **{kind: partial(_Approximate, kind) for kind in APPROXIMATE_KINDS},
}
EXACT: Final = ("flat", "pruned")
