"""Coarse scores: never further from the exact ones than they say."""

import numpy as np
from foldin_model.coarse import CoarseMatrix
from hypothesis import given
from hypothesis import strategies as st


@given(
    n=st.integers(1, 60),
    d=st.integers(1, 140),
    k=st.integers(0, 9),
    m=st.integers(1, 9),
    spread=st.floats(0.0, 12.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_scores_are_within_the_slack_also_of_rows_added_later(
    *, n: int, d: int, k: int, m: int, spread: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sizes = np.exp(spread * rng.normal(size=d))  # few columns hold most
    vectors, tail = ((rng.normal(size=(rows, d)) * sizes).astype(np.float32) for rows in (n, k))
    queries = rng.normal(size=(m, d)) * np.exp(spread * rng.normal(size=d))
    matrix = CoarseMatrix(vectors)
    if k:
        matrix = matrix.extended(tail)
    exact = queries @ np.concatenate((vectors, tail)).astype(np.float64).T
    scores = matrix.scores(queries)
    assert scores.shape == (m, n + k)
    assert (np.abs(scores - exact) <= matrix.slack(queries)[:, None]).all()


def test_numbers_too_small_for_float32_are_no_surprise() -> None:
    vectors = np.full((3, 5), 1e-30, np.float32)
    queries = np.full((2, 5), 1e-42)
    matrix = CoarseMatrix(vectors)
    exact = queries @ vectors.astype(np.float64).T
    assert (np.abs(matrix.scores(queries) - exact) <= matrix.slack(queries)[:, None]).all()


def test_a_matrix_of_nothing_but_zeros_scores_0() -> None:
    matrix = CoarseMatrix(np.zeros((4, 3), np.float32))
    queries = np.ones((2, 3))
    assert not matrix.scores(queries).any()
    assert (matrix.floors(matrix.scores(queries), queries, 2) <= 0.0).all()


def test_slack_is_a_small_share_of_the_scores() -> None:
    rng = np.random.default_rng(0)
    vectors, queries = rng.normal(size=(500, 64)).astype(np.float32), rng.normal(size=(8, 64))
    best = (queries @ vectors.T).max(axis=1)
    assert (CoarseMatrix(vectors).slack(queries) < best / 20).all()
