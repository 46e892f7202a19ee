"""Block search for many queries at once, with brute force as the oracle."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.index import block_search, bounds, quantized_rows, scan_kernels
from foldin_model.index.block_search import NONE_HIDDEN, QuantizedBlocks
from foldin_model.index.bounds import Bounds, long_rows_first
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.index.exact_index import Space
from foldin_model.index.index_with_tail import with_tail
from foldin_model.index.scan_kernels import LANES
from foldin_model.overlay.stacked_rows import StackedMatrix
from foldin_model.retrieval.search import search_batch
from foldin_model.row_lists import HitLists, RowLists
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(autouse=True, scope="module")
def _in_many_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (bounds, block_search):
            patch.setattr(module, "BLOCK_ROWS", 16)
        yield


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were scored exactly, every time."""
    counts: list[int] = []
    scan = scan_kernels.scan

    def counted(*arguments: Any) -> Integers:
        exact: Integers = scan(*arguments)
        counts.append(int(exact.clip(min=0).sum()))
        return exact

    monkeypatch.setattr(scan_kernels, "scan", counted)
    return counts


@contextmanager
def in_steps(wanted: bool) -> Iterator[None]:  # noqa: FBT001
    """As on a machine where numkong pads rows, or on one where it does not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_search, "numkong_pads", lambda _: wanted)
        yield


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Floats, Doubles, np.random.Generator]:
    """Rows (n, d) and queries (m, d) of all sizes, with and without ties and zeros."""
    n = draw(st.integers(1, 300) | st.sampled_from([LANES, 2 * LANES + 1, 1_500]))
    d, m = draw(st.integers(2, 140)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.normal(size=(n, d)) * np.exp(draw(st.floats(0.0, 2.0)) * rng.normal(size=(n, 1)))
    if draw(st.booleans()):
        vectors = np.round(vectors)[rng.integers(0, n, n)]
    queries = rng.normal(size=(m, d)) * np.exp(rng.normal(size=(m, 1)))
    queries[rng.random(m) < draw(st.sampled_from([0.0, 0.2]))] = 0.0
    return vectors.astype(np.float32), queries * draw(st.sampled_from([1e-12, 1.0, 1e9])), rng


@given(
    case=matrices(),
    tails=st.lists(st.integers(0, 40), max_size=2),
    count=st.integers(1, 60),
    share=st.sampled_from([0.0, quantized_rows.MAX_EXACT_SHARE, 1.0]),
    kind=st.sampled_from(["flat", "pruned"]),
    prepared=st.sampled_from(["not", "in blocks", "in steps"]),
    copied=st.booleans(),
)
def test_answers_are_those_of_brute_force(
    *,
    case: tuple[Floats, Doubles, np.random.Generator],
    tails: list[int],
    count: int,
    share: float,
    kind: str,
    prepared: str,
    copied: bool,
) -> None:
    everything, queries, rng = case
    d = everything.shape[1]
    everything = everything[long_rows_first(everything, d, np.ones(d))]
    space = Space.of(everything, Bounds.of(everything, d // 2), kind, quantized=True)
    assert space.quantized is not None
    if prepared != "not":
        with in_steps(prepared == "in steps"):
            space = space.prepared(queries[0], 3)
    for length in tails:
        tail = everything[rng.integers(0, len(everything), length)]
        tail *= np.float32(rng.choice([0.5, 1.0, 2.0]))
        both = np.concatenate((everything, tail))
        seen_as = both if copied else StackedMatrix(everything, tail)
        everything, space = both, with_tail(space, seen_as, tail)  # type: ignore[arg-type]
    n = len(everything)
    hidden = [rng.permutation(n)[: rng.integers(0, n + 1)].astype(np.int32) for _ in queries]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantized_rows, "MAX_EXACT_SHARE", share)
        lists = search_batch(space, queries, RowLists.of(hidden), count)
    assert lists.rows.dtype == np.int32
    for place, (query, unwanted) in enumerate(zip(queries, hidden, strict=True)):
        rows = np.setdiff1d(np.arange(n, dtype=np.int32), unwanted)
        scores = canonical_scores(everything, rows, query)
        order = np.lexsort((rows, -scores))[:count]
        assert lists.counts[place] == len(order)
        assert lists.rows[place, : len(order)].tolist() == rows[order].tolist()
        np.testing.assert_array_equal(lists.scores[place, : len(order)], scores[order])


def test_the_end_of_a_matrix_with_long_rows_first_is_not_read() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(4_096, 8)) * np.exp(rng.normal(size=(4_096, 1)))).astype(np.float32)
    vectors = vectors[long_rows_first(vectors, 8, np.ones(8))]
    bounds = Bounds.of(vectors, 8)
    queries = rng.normal(size=(6, 8))
    expected = QuantizedBlocks.one_block(vectors, bounds).search(queries, RowLists.empty(6), 10)
    vectors[2_048:] = np.nan
    found = QuantizedBlocks.of(vectors, bounds).search(queries, RowLists.empty(6), 10)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.parametrize("steps", [True, False])
def test_int8_copies_cover_what_usual_searches_read_and_some_more(*, steps: bool) -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(4_096, 8)) * np.exp(rng.normal(size=(4_096, 1)))).astype(np.float32)
    vectors = vectors[long_rows_first(vectors, 8, np.ones(8))]
    blocks = QuantizedBlocks.of(vectors, Bounds.of(vectors, 8))
    assert blocks.usual_rows == blocks.memory_bytes == 0
    query = rng.normal(size=8)
    with in_steps(steps):
        blocks = blocks.prepared(query, 10)
        assert blocks.prepared(-query, 1_000) is blocks
    assert 0 < blocks.usual_rows < len(vectors) / 2 < len(blocks) == len(vectors)
    vectors[blocks.usual_rows :] = np.nan  # which no usual search sees
    exact = vectors[: blocks.usual_rows] @ query
    found = blocks.search(query[None, :], NONE_HIDDEN, 10)
    assert found.rows[0].tolist() == np.argsort(-exact)[:10].tolist()
    made = blocks.usual_rows, blocks.memory_bytes
    blocks.search(1e-6 * rng.normal(size=(3, 8)), RowLists.empty(3), 4_000)
    assert (blocks.usual_rows, blocks.memory_bytes) == made


@pytest.mark.parametrize("dimension", [8, 48, 64, 65, 128, 200])
def test_an_int8_copy_takes_hardly_more_than_a_byte_a_number(dimension: int) -> None:
    vectors = np.ones((200, dimension), np.float32)
    blocks = QuantizedBlocks.of(vectors, Bounds.of(vectors, dimension))
    blocks = blocks.prepared(np.ones(dimension), 200)
    assert blocks.usual_rows == 200
    assert blocks.memory_bytes <= 1.3 * 200 * 64 * math.ceil(dimension / 64)


@pytest.mark.parametrize("rows", [12, 2_500])
@pytest.mark.parametrize("kind", ["flat", "pruned"])
def test_a_tail_of_low_scores_leaves_the_search_narrow(
    scored: list[int], kind: str, rows: int
) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2_000, 16)).astype(np.float32)
    tail = (1e-3 * rng.normal(size=(rows, 16))).astype(np.float32)
    space = with_tail(
        Space.of(vectors, kind=kind, quantized=True), np.concatenate((vectors, tail)), tail
    )
    search_batch(space, rng.normal(size=(1, 16)), NONE_HIDDEN, 10)
    assert sum(scored) < 200


def test_few_rows_are_scored_exactly(scored: list[int]) -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(5_000, 64)) * np.geomspace(1, 20, 64)).astype(np.float32)
    space = Space.of(vectors, kind="flat", quantized=True)
    queries = rng.normal(size=(8, 64)) / np.geomspace(1, 20, 64)
    search_batch(space, queries, RowLists.empty(8), 10)
    assert sum(scored) < 8 * 40


def test_a_row_much_longer_than_all_others_leaves_the_search_narrow(scored: list[int]) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(4_000, 32)).astype(np.float32)
    vectors[0] *= 1e4
    space = Space.of(vectors, kind="flat", quantized=True)
    search_batch(space, rng.normal(size=(4, 32)), RowLists.empty(4), 10)
    assert sum(scored) < 400


def test_each_of_many_queries_ends_at_its_own_ceiling() -> None:
    vectors = np.diag(np.arange(64, 0, -1.0)).astype(np.float32)
    queries = np.concatenate((np.eye(64)[:1], 1e6 * np.eye(64)[-1:]))
    space = Space.of(vectors, kind="pruned", quantized=True)
    lists = search_batch(space, queries, RowLists.empty(2), 1)
    assert lists.rows.tolist() == [[0], [63]]


def test_a_search_without_rows_or_queries_finds_nothing() -> None:
    space = Space.of(np.empty((0, 3), np.float32), kind="flat", quantized=True)
    assert search_batch(space, np.ones((2, 3)), RowLists.empty(2), 5).counts.tolist() == [0, 0]
    space = Space.of(np.eye(3, dtype=np.float32), kind="flat", quantized=True)
    assert len(search_batch(space, np.empty((0, 3)), RowLists.empty(0), 5).counts) == 0


def test_a_space_without_int8_rows_refuses_many_queries() -> None:
    space = Space.of(np.eye(4, dtype=np.float32), kind="pruned")
    with pytest.raises(ValueError, match="one query at a time"):
        search_batch(space, np.ones((1, 4)), NONE_HIDDEN, 2)


def test_the_floor_of_a_full_list_is_its_last_score() -> None:
    lists = HitLists.empty(2, 2)
    lists.scores[:] = [[3.0, 1.0], [2.0, 0.0]]
    lists.counts[:] = [2, 1]
    assert lists.floors().tolist() == [1.0, -np.inf]


@given(case=matrices(), cut=st.integers(0, 140))
def test_bounds_hold_with_an_inserted_block(
    case: tuple[Floats, Doubles, np.random.Generator], cut: int
) -> None:
    vectors, queries, rng = case
    tail = vectors[rng.integers(0, len(vectors), 5)] * np.float32(3.0)
    bounds = Bounds.of(vectors, cut).every(2).with_inserted(Bounds.of(tail, cut).first, 1)
    ceilings = bounds.ceilings(queries)
    after = [vectors, np.concatenate((tail, vectors[32:]))]
    after += [vectors[start:] for start in range(32, len(vectors), 32)]
    assert ceilings.shape == (len(queries), len(after))
    for place, rows in enumerate(after):
        scores = queries @ rows.astype(np.float64).T
        assert (scores <= ceilings[:, place, None] * (1 + 1e-12)).all()


def test_a_space_for_single_queries_needs_no_preparation() -> None:
    space = Space.of(np.eye(4, dtype=np.float32), kind="pruned")
    assert space.prepared(np.ones(4), 2) is space
