"""Searching together: every answer is the one that the search alone gives."""

import numpy as np
import pytest
from foldin_model.arrays import Floats
from foldin_model.coarse import CoarseMatrix
from foldin_model.indexing import Space
from foldin_model.searching import search_space
from foldin_model.together import can_search_together, search_together
from hypothesis import given
from hypothesis import strategies as st


@given(
    n=st.integers(1, 300),
    d=st.integers(1, 20),
    m=st.integers(1, 9),
    count=st.integers(1, 40),
    lanes=st.sampled_from([4, 32, 512]),
    coarse=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_answers_are_those_of_searches_alone(
    *, n: int, d: int, m: int, count: int, lanes: int, seed: int, coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    if coarse:  # with many ties
        vectors = np.round(vectors)[rng.integers(0, n, n)]
    space = Space.of(vectors, kind="flat", together=True)
    queries = rng.normal(size=(m, d))
    seen = [
        np.sort(rng.permutation(n)[: rng.integers(0, n + 1)]).astype(np.int32) for _ in range(m)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CoarseMatrix, "lanes", lanes)
        together = search_together(space, queries, seen, count)
    for query, rows, hits in zip(queries, seen, together, strict=True):
        alone = search_space(space, query, unseen(vectors, rows), count)
        assert hits.rows.tolist() == alone.rows.tolist()
        assert hits.rows.dtype == alone.rows.dtype
        np.testing.assert_array_equal(hits.scores, alone.scores)


def test_an_index_for_single_queries_says_so() -> None:
    space = Space.of(np.eye(4, dtype=np.float32), kind="pruned", together=True)
    assert not can_search_together(space)
    with pytest.raises(ValueError, match="one query at a time"):
        search_together(space, np.ones((1, 4)), [np.empty(0, np.int32)], 2)


def unseen(vectors: Floats, rows: np.ndarray) -> np.ndarray:
    mask = np.ones(len(vectors), np.bool_)
    mask[rows] = False
    return mask
