"""Searching: the canonical order, its pages, and brute force as the oracle."""

from collections.abc import Iterator

import numpy as np
import pytest
from foldin_model import searching
from foldin_model.arrays import Doubles, Floats, Mask, Rows
from foldin_model.indexing import FlatIndex, Space
from foldin_model.searching import Cursor, Hits, canonical_scores, popular, search, search_space
from hypothesis import given
from hypothesis import strategies as st
from snapshots import planted_snapshot


class BruteForceIndex:
    """Every inner product, sorted."""

    def __init__(self, vectors: Floats) -> None:
        self.vectors = vectors

    def search(self, query: Floats, count: int, allowed: Mask | None) -> tuple[Rows, Floats]:
        scores = np.asarray(self.vectors @ query, np.float32)
        if allowed is not None:
            scores[~allowed] = -np.inf
        rows = np.lexsort((np.arange(len(scores)), -scores))[:count]
        rows = rows[np.isfinite(scores[rows])]
        return rows.astype(np.int32), scores[rows]


class LyingIndex(BruteForceIndex):
    """Takes the mask for its opposite."""

    def search(self, query: Floats, count: int, allowed: Mask | None) -> tuple[Rows, Floats]:
        return super().search(query, count, None if allowed is None else ~allowed)


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
    """Small spaces go through the index too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "DIRECT_ROWS", 4)
        patch.setattr(searching, "MARGIN", 2)
        yield


@pytest.mark.parametrize("kind", [FlatIndex, BruteForceIndex])
@given(case=searches(), count=st.integers(1, 50))
def test_hits_are_those_of_brute_force(
    kind: type[FlatIndex | BruteForceIndex],
    case: tuple[Floats, Doubles, Mask | None],
    count: int,
) -> None:
    vectors, query, allowed = case
    space = Space(vectors, kind(vectors), Space.flat(vectors).longest)
    hits = search_space(space, query, allowed, count)
    expected = oracle(vectors, query, allowed)
    assert hits.rows.tolist() == expected.rows[:count].tolist()
    np.testing.assert_array_equal(hits.scores, expected.scores[:count])


@given(case=searches(), size=st.integers(7, 90))
def test_pages_neither_repeat_nor_skip(
    case: tuple[Floats, Doubles, Mask | None], size: int
) -> None:
    vectors, query, allowed = case
    space = Space.flat(vectors)
    rows: list[int] = []
    after = None
    while len(hits := search_space(space, query, allowed, size, after)):
        rows += hits.rows.tolist()
        after = hits.last
    assert rows == oracle(vectors, query, allowed).rows.tolist()


@given(case=searches(), seed=st.integers(0, 2**32 - 1))
def test_items_masked_between_pages_are_left_out_and_nothing_else_moves(
    case: tuple[Floats, Doubles, Mask | None], seed: int
) -> None:
    vectors, query, allowed = case
    space = Space.flat(vectors)
    first = search_space(space, query, allowed, 5)
    if not len(first):
        return
    mask = np.ones(len(vectors), np.bool_) if allowed is None else allowed
    narrower = mask & (np.random.default_rng(seed).random(len(vectors)) < 0.7)
    rest = search_space(space, query, narrower, len(vectors), first.last)
    expected = [row for row in oracle(vectors, query, allowed).rows[5:] if narrower[row]]
    assert rest.rows.tolist() == expected


@given(case=searches(), seed=st.integers(0, 2**32 - 1))
def test_a_score_does_not_depend_on_its_company(
    case: tuple[Floats, Doubles, Mask | None], seed: int
) -> None:
    vectors, query, _ = case
    rows = np.random.default_rng(seed).permutation(len(vectors)).astype(np.int32)
    together = canonical_scores(vectors, rows, query)
    alone = [canonical_scores(vectors, rows[i : i + 1], query)[0] for i in range(len(rows))]
    np.testing.assert_array_equal(together, alone)


def test_a_row_that_was_not_allowed_never_leaves() -> None:
    vectors = np.eye(40, dtype=np.float32)
    space = Space(vectors, LyingIndex(vectors), 1.0)
    allowed = np.arange(40) > 5
    with pytest.raises(RuntimeError, match="not allowed"):
        search_space(space, np.arange(40, 0, -1).astype(np.float64), allowed, 3)


def test_a_deep_cursor_finds_its_place_among_ties() -> None:
    vectors = np.ones((3_000, 4), np.float32)
    space = Space.flat(vectors)
    hits = search_space(space, np.ones(4), None, 5, Cursor(4.0, 2_000))
    assert hits.rows.tolist() == [2_001, 2_002, 2_003, 2_004, 2_005]


def test_popular_items_are_those_of_the_prior() -> None:
    snapshot = planted_snapshot()
    hits = popular(snapshot, None, 10)
    expected = search(snapshot, snapshot.popular_query, None, 10)
    np.testing.assert_array_equal(hits.rows, expected.rows)
    np.testing.assert_array_equal(
        popular(snapshot, None, 5, Cursor(float(hits.scores[4]), int(hits.rows[4]))).rows,
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
