"""Int8 steps: lists equal brute force, and steps that cannot improve a list are not read."""

import numpy as np
import pytest
from foldin_model.index import quantized_rows
from foldin_model.index.bounds import Bounds
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.index.quantized_rows import Rotation
from foldin_model.index.quantized_steps import QuantizedSteps
from foldin_model.row_lists import HitLists, RowLists
from hypothesis import given
from hypothesis import strategies as st


@given(
    n=st.integers(1, 700),
    d=st.integers(1, 140),
    m=st.integers(1, 6),
    size=st.integers(1, 300),
    count=st.integers(1, 30),
    share=st.sampled_from([0.0, quantized_rows.MAX_EXACT_SHARE, 1.0]),
    bounded=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_lists_are_those_of_brute_force(
    *, n: int, d: int, m: int, size: int, count: int, share: float, bounded: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = (rng.normal(size=(n, d)) * np.geomspace(9, 1, n)[:, None]).astype(np.float32)
    queries = rng.normal(size=(m, d)) * np.exp(rng.normal(size=(m, 1)))
    hidden = [rng.permutation(n)[: rng.integers(0, n + 1)].astype(np.int32) for _ in queries]
    rotation = Rotation.of(vectors)
    steps = QuantizedSteps(vectors, rotation, size)
    bounds = [Bounds.of(vectors[start:], d // 2).first for start in range(0, n, size)]
    ceilings = np.concatenate([one.ceilings(queries) for one in bounds], axis=1)
    ceilings = np.ascontiguousarray(ceilings) if bounded else np.full(ceilings.shape, np.inf)
    lists = HitLists.empty(m, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantized_rows, "MAX_EXACT_SHARE", share)
        goes_on = steps.search(
            queries, rotation.quantize(queries), ceilings, RowLists.of(hidden), lists
        )
    assert not goes_on  # nothing follows
    for place, (query, unwanted) in enumerate(zip(queries, hidden, strict=True)):
        rows = np.setdiff1d(np.arange(n, dtype=np.int32), unwanted)
        scores = canonical_scores(vectors, rows, query)
        order = np.lexsort((rows, -scores))[:count]
        assert lists.rows[place, : lists.counts[place]].tolist() == rows[order].tolist()
        np.testing.assert_array_equal(lists.scores[place, : len(order)], scores[order])


def test_each_query_ends_at_the_first_step_whose_ceiling_is_low() -> None:
    vectors = np.repeat([1.0, 2.0, 3.0, 4.0], 10)[:, None].astype(np.float32)
    queries = np.array([[1.0], [10.0]])
    ceilings = np.array([[9.0, 0.5, 0.5, 0.5], [90.0, 90.0, 19.0, 19.0]])
    rotation = Rotation.of(vectors)
    lists = HitLists.empty(2, 1)
    steps = QuantizedSteps(vectors, rotation, 10)
    steps.search(queries, rotation.quantize(queries), ceilings, RowLists.empty(2), lists)
    assert lists.rows.tolist() == [[0], [10]]


@pytest.mark.parametrize(("behind", "goes_on"), [(3.9, False), (4.0, True)])
def test_the_search_goes_on_where_later_rows_can_equal_the_last_hit(
    *, behind: float, goes_on: bool
) -> None:
    vectors = np.repeat([1.0, 2.0, 3.0, 4.0], 10)[:, None].astype(np.float32)
    queries = np.ones((1, 1))
    rotation = Rotation.of(vectors)
    steps = QuantizedSteps(vectors, rotation, 10)
    ceilings = np.array([[9.0, 9.0, 9.0, 9.0, behind]])
    lists = HitLists.empty(1, 10)
    quantized = rotation.quantize(queries)
    assert goes_on == steps.search(queries, quantized, ceilings, RowLists.empty(1), lists)


def test_the_search_goes_on_where_a_list_is_not_full() -> None:
    vectors = np.ones((5, 1), np.float32)
    queries = np.ones((1, 1))
    rotation = Rotation.of(vectors)
    steps, lists = QuantizedSteps(vectors, rotation, 5), HitLists.empty(1, 6)
    ceilings = np.array([[9.0, -9.0]])
    assert steps.search(queries, rotation.quantize(queries), ceilings, RowLists.empty(1), lists)
