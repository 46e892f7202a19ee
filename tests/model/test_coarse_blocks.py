"""Searching together: every answer is the one that brute force gives to its query."""

from collections.abc import Iterator

import numpy as np
import pytest
from foldin_model import bounding, coarse_blocks
from foldin_model.arrays import Doubles, Floats, Rows
from foldin_model.bounding import Bounds, long_rows_first
from foldin_model.coarse import CoarseMatrix
from foldin_model.coarse_blocks import CoarseBlocks
from foldin_model.indexing import Space
from foldin_model.scoring import canonical_scores
from foldin_model.searching import search_together
from foldin_model.tailing import tailed
from hypothesis import given
from hypothesis import strategies as st

NOTHING = np.empty(0, np.int32)


@pytest.fixture(autouse=True, scope="module")
def _in_many_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (bounding, coarse_blocks):
            patch.setattr(module, "BLOCK_ROWS", 16)
        yield


@given(
    n=st.integers(1, 300),
    d=st.integers(2, 20),
    k=st.integers(0, 30),
    m=st.integers(1, 9),
    count=st.integers(1, 40),
    lanes=st.sampled_from([4, 32, 512]),
    ties=st.booleans(),
    kind=st.sampled_from(["flat", "pruned"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_answers_are_those_of_brute_force(
    *, n: int, d: int, k: int, m: int, count: int, lanes: int, ties: bool, kind: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n + k, d)) * np.exp(rng.normal(size=(n + k, 1)))
    if ties:
        vectors = np.round(vectors)[rng.integers(0, n + k, n + k)]
    everything = vectors.astype(np.float32)
    first = everything[long_rows_first(everything[:n], d, np.ones(d))]
    everything = np.concatenate((first, everything[n:]))
    space = Space.of(first, Bounds.of(first, d // 2), kind, together=True)
    if k:
        space = tailed(space, everything, everything[n:])
    queries = rng.normal(size=(m, d)) * np.exp(rng.normal(size=(m, 1)))
    hidden = [
        rng.permutation(n + k)[: rng.integers(0, n + k + 1)].astype(np.int32) for _ in range(m)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CoarseMatrix, "lanes", lanes)
        lists = search_together(space, queries, hidden, count)
    assert lists.owners.tolist() == np.repeat(np.arange(m), lists.counts).tolist()
    assert lists.rows.dtype == np.int32
    for place, (query, unwanted) in enumerate(zip(queries, hidden, strict=True)):
        rows = np.setdiff1d(np.arange(n + k, dtype=np.int32), unwanted)
        scores = canonical_scores(everything, rows, query)
        order = np.lexsort((rows, -scores))[:count]
        assert lists.rows[lists.owners == place].tolist() == rows[order].tolist()
        np.testing.assert_array_equal(lists.scores[lists.owners == place], scores[order])


def test_the_end_of_a_matrix_with_long_rows_first_is_not_read() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(4_096, 8)) * np.exp(rng.normal(size=(4_096, 1)))).astype(np.float32)
    vectors = vectors[long_rows_first(vectors, 8, np.ones(8))]
    bounds = Bounds.of(vectors, 8)
    queries = rng.normal(size=(6, 8))
    expected = CoarseBlocks.whole(vectors, bounds).search(vectors, queries, [NOTHING] * 6, 10)
    vectors[2_048:] = np.nan
    blocks = CoarseBlocks.of(vectors, bounds)
    assert blocks.memory_bytes == 0
    found = blocks.search(vectors, queries, [NOTHING] * 6, 10)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert 0 < blocks.memory_bytes < vectors.nbytes / 2


@pytest.mark.parametrize("kind", ["flat", "pruned"])
def test_poor_rows_behind_a_matrix_leave_its_search_narrow(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2_000, 16)).astype(np.float32)
    tail = np.full((12, 16), 1e-3, np.float32)
    space = Space.of(vectors, kind=kind, together=True)
    space = tailed(space, np.concatenate((vectors, tail)), tail)
    scored: list[int] = []

    def counted(matrix: Floats, rows: Rows, query: Doubles) -> Doubles:
        scored.append(len(rows))
        return canonical_scores(matrix, rows, query)

    monkeypatch.setattr(coarse_blocks, "canonical_scores", counted)
    monkeypatch.setattr(CoarseMatrix, "lanes", 64)
    search_together(space, rng.normal(size=(1, 16)), [NOTHING], 10)
    assert sum(scored) < 200


def test_queries_of_very_different_lengths_end_where_each_must() -> None:
    vectors = np.diag(np.arange(64, 0, -1.0)).astype(np.float32)
    queries = np.concatenate((np.eye(64)[:1], 1e6 * np.eye(64)[-1:]))
    space = Space.of(vectors, kind="pruned", together=True)
    lists = search_together(space, queries, [NOTHING] * 2, 1)
    assert lists.rows.tolist() == [0, 63]


def test_nothing_is_found_where_nothing_is() -> None:
    space = Space.of(np.empty((0, 3), np.float32), kind="flat", together=True)
    assert search_together(space, np.ones((2, 3)), [NOTHING] * 2, 5).counts.tolist() == [0, 0]


def test_a_space_for_single_queries_says_so() -> None:
    space = Space.of(np.eye(4, dtype=np.float32), kind="pruned")
    with pytest.raises(ValueError, match="one query at a time"):
        search_together(space, np.ones((1, 4)), [NOTHING], 2)
