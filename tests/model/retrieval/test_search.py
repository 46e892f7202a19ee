"""Search: the canonical order and its pages, with brute force as the oracle."""

from collections.abc import Iterator

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Floats, Mask
from foldin_model.index import block_search, bounds, exact_index
from foldin_model.index.bounds import Bounds, long_rows_first, row_lengths
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.index.exact_index import FlatIndex, Proposal, PrunedIndex, Space
from foldin_model.retrieval import search as search_module
from foldin_model.retrieval.search import Cursor, Hits, popular_items, search, search_space
from hypothesis import given
from hypothesis import strategies as st
from snapshots import planted_snapshot


class BruteForceIndex:
    """Every inner product, sorted."""

    def __init__(self, vectors: Floats) -> None:
        self.vectors = vectors

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        scores = np.asarray(self.vectors @ query, np.float32)
        scores[scores > below] = -np.inf
        if allowed is not None:
            scores[~allowed] = -np.inf
        ranked = np.lexsort((np.arange(len(scores)), -scores))
        rows = ranked[np.isfinite(scores[ranked])][:count]
        rest = -np.inf if len(rows) < count else float(scores[rows[-1]])
        return Proposal(rows.astype(np.int32), scores[rows], rest)


class LyingIndex(BruteForceIndex):
    """An index that finds the items that the mask leaves out."""

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        return super().search(query, count, None if allowed is None else ~allowed, below)


def oracle(
    vectors: Floats, query: Doubles, allowed: Mask | None, after: Cursor | None = None
) -> Hits:
    rows = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    scores = np.array([(vectors[row].astype(np.float64) * query).sum() for row in rows])
    ranked = sorted(zip(-scores, rows, strict=True))
    if after is not None:
        ranked = [pair for pair in ranked if pair > (-after.score, after.row)]
    return Hits(
        np.array([row for _, row in ranked], np.int32), np.array([-score for score, _ in ranked])
    )


@st.composite
def searches(draw: st.DrawFn) -> tuple[Floats, Doubles, Mask | None]:
    """Spaces with and without ties, masks of every density."""
    n, d = draw(st.integers(1, 400)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.normal(size=(n, d))
    if draw(st.booleans()):
        vectors = np.round(vectors)
    if draw(st.booleans()):
        vectors = vectors[rng.integers(0, max(1, n // 20), n)]
    share = draw(st.sampled_from([None, 0.0, 0.05, 0.5, 1.0]))
    allowed = None if share is None else rng.random(n) < share
    return np.ascontiguousarray(vectors, np.float32), rng.normal(size=d), allowed


@pytest.fixture(autouse=True, scope="module")
def _through_the_index() -> Iterator[None]:
    """Makes searches of small spaces use the index too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "DIRECT_ROWS", 4)
        patch.setattr(FlatIndex, "margin", 2)
        for module in (bounds, block_search, exact_index):
            patch.setattr(module, "BLOCK_ROWS", 16)
        yield


@pytest.fixture(params=["flat", "pruned", "quantized", "brute force"], scope="module")
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        kinds = {**exact_index.KINDS, "brute force": lambda vectors, _: BruteForceIndex(vectors)}
        patch.setattr(exact_index, "KINDS", kinds)
        yield str(request.param)


def space_of(vectors: Floats, kind: str) -> Space:
    """Returns a space whose vectors have two parts, like those of the two heads."""
    bounds = Bounds.of(vectors, vectors.shape[1] // 2)
    if kind == "quantized":
        return Space.of(vectors, bounds, "pruned", quantized=True)
    return Space.of(vectors, bounds, kind)


@given(case=searches(), count=st.integers(1, 50))
def test_hits_are_those_of_brute_force(
    kind: str, case: tuple[Floats, Doubles, Mask | None], count: int
) -> None:
    vectors, query, allowed = case
    space = space_of(vectors, kind)
    hits = search_space(space, query, allowed, count)
    expected = oracle(vectors, query, allowed)
    assert hits.rows.tolist() == expected.rows[:count].tolist()
    np.testing.assert_array_equal(hits.scores, expected.scores[:count])


@given(case=searches(), size=st.integers(7, 90))
def test_pages_neither_repeat_nor_skip(
    kind: str, case: tuple[Floats, Doubles, Mask | None], size: int
) -> None:
    vectors, query, allowed = case
    space = space_of(vectors, kind)
    rows: list[int] = []
    after = None
    while len(hits := search_space(space, query, allowed, size, after)):
        rows += hits.rows.tolist()
        after = hits.last
    assert rows == oracle(vectors, query, allowed).rows.tolist()


@given(case=searches(), seed=st.integers(0, 2**32 - 1))
def test_items_masked_between_pages_are_left_out_and_nothing_else_moves(
    kind: str, case: tuple[Floats, Doubles, Mask | None], seed: int
) -> None:
    vectors, query, allowed = case
    space = space_of(vectors, kind)
    first = search_space(space, query, allowed, 5)
    if not len(first):
        return
    mask = np.ones(len(vectors), np.bool_) if allowed is None else allowed
    narrower = mask & (np.random.default_rng(seed).random(len(vectors)) < 0.7)
    rest = search_space(space, query, narrower, len(vectors), first.last)
    expected = [row for row in oracle(vectors, query, allowed).rows[5:] if narrower[row]]
    assert rest.rows.tolist() == expected


@given(case=searches(), seed=st.integers(0, 2**32 - 1))
def test_a_score_does_not_depend_on_the_other_rows(
    case: tuple[Floats, Doubles, Mask | None], seed: int
) -> None:
    vectors, query, _ = case
    rows = np.random.default_rng(seed).permutation(len(vectors)).astype(np.int32)
    together = canonical_scores(vectors, rows, query)
    alone = [canonical_scores(vectors, rows[i : i + 1], query)[0] for i in range(len(rows))]
    np.testing.assert_array_equal(together, alone)


def test_a_proposed_row_that_is_not_allowed_is_an_error() -> None:
    vectors = np.eye(40, dtype=np.float32)
    space = Space(vectors, LyingIndex(vectors), 1.0)
    allowed = np.arange(40) > 5
    with pytest.raises(RuntimeError, match="not allowed"):
        search_space(space, np.arange(40, 0, -1).astype(np.float64), allowed, 3)


def test_a_deep_cursor_finds_its_place_among_ties(kind: str) -> None:
    vectors = np.ones((3_000, 4), np.float32)
    space = space_of(vectors, kind)
    hits = search_space(space, np.ones(4), None, 5, Cursor(4.0, 2_000))
    assert hits.rows.tolist() == [2_001, 2_002, 2_003, 2_004, 2_005]


@given(case=searches(), cut=st.integers(0, 20))
def test_no_row_exceeds_the_ceiling_of_its_block(
    case: tuple[Floats, Doubles, Mask | None], cut: int
) -> None:
    vectors, query, _ = case
    (ceilings,) = Bounds.of(vectors, cut).ceilings(query[None, :])
    scores = vectors.astype(np.float64) @ query
    for block, ceiling in enumerate(ceilings):
        assert scores[block * 16 :].max() <= ceiling + 1e-9


def test_a_search_of_long_rows_first_reads_the_beginning_alone() -> None:
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(4_096, 8)) * np.exp(rng.normal(size=(4_096, 1)))
    shuffled = spread.astype(np.float32)
    vectors = np.ascontiguousarray(shuffled[long_rows_first(shuffled, 8, np.ones(8))])
    assert (np.diff(row_lengths(vectors, 8)[:, 0]) <= 0).all()
    bounds = Bounds.of(vectors, 8)
    query = rng.normal(size=8).astype(np.float32)
    expected = PrunedIndex(vectors, bounds).search(query, 10, None, np.inf)
    vectors[2_048:] = np.nan
    found = PrunedIndex(vectors, bounds).search(query, 10, None, np.inf)
    np.testing.assert_array_equal(found.rows, expected.rows)


def test_a_part_that_weighs_little_does_not_spoil_the_order() -> None:
    """As with the rating head: long parts whose weight on the query's side is small."""
    rng = np.random.default_rng(0)
    ranking = rng.normal(size=(4_096, 8)) * np.exp(rng.normal(size=(4_096, 1)))
    vectors = np.hstack((ranking, 50 * rng.normal(size=(4_096, 8)))).astype(np.float32)
    query = np.concatenate((rng.normal(size=8), 1e-3 * rng.normal(size=8)))
    vectors = np.ascontiguousarray(vectors[long_rows_first(vectors, 8, query)])
    expected = oracle(vectors, query, None).rows[:10]
    bounds = Bounds.of(vectors, 8)
    vectors[2_048:] = np.nan
    found = PrunedIndex(vectors, bounds).search(query.astype(np.float32), 10, None, np.inf)
    assert set(expected.tolist()) <= set(found.rows.tolist())


def test_popular_items_are_those_of_the_prior() -> None:
    snapshot = planted_snapshot()
    hits = popular_items(snapshot, None, 10)
    expected = search(snapshot, snapshot.popular_query, None, 10)
    np.testing.assert_array_equal(hits.rows, expected.rows)
    np.testing.assert_array_equal(
        popular_items(snapshot, None, 5, Cursor(float(hits.scores[4]), int(hits.rows[4]))).rows,
        expected.rows[5:],
    )


def test_scores_are_those_of_both_heads() -> None:
    snapshot = planted_snapshot()
    model = snapshot.model
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=8), rng.normal(size=8)
    hits = search(snapshot, model.query(x, z), None, 20)
    rating = model.rating.score(hits.rows, z) - model.rating_mean
    expected = model.ranking.score(hits.rows, x) + model.rating_weight * rating
    np.testing.assert_allclose(hits.scores, expected, rtol=1e-12)
