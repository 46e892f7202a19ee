"""Int8 scores: the exact scores are always within the slack."""

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Floats
from foldin_model.index.quantized_rows import QuantizedMatrix, QuantizedScores, Rotation
from hypothesis import given
from hypothesis import strategies as st


def scored(vectors: Floats, queries: Doubles, rotation: Rotation | None = None) -> QuantizedScores:
    rotation = rotation or Rotation.of(vectors)
    return QuantizedMatrix(vectors, rotation).scores(rotation.quantize(queries))


def check_slack(vectors: Floats, queries: Doubles, rotation: Rotation | None = None) -> None:
    scores = scored(vectors, queries, rotation)
    assert scores.products.shape == (len(queries), len(vectors))
    exact = queries @ vectors.astype(np.float64).T
    quantized = scores.products * scores.scales[:, None]
    assert (np.abs(quantized - exact) <= scores.slack[:, None]).all()


@given(
    n=st.integers(1, 60),
    d=st.integers(1, 140),
    k=st.integers(1, 9),
    m=st.integers(1, 9),
    spread=st.floats(0.0, 12.0),
    larger=st.sampled_from([1.0, 1e3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_scores_are_within_the_slack_with_the_rotation_of_other_rows(
    *, n: int, d: int, k: int, m: int, spread: float, larger: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sizes = np.exp(spread * rng.normal(size=d))  # few columns hold most
    vectors, tail = ((rng.normal(size=(rows, d)) * sizes).astype(np.float32) for rows in (n, k))
    tail *= np.float32(larger)
    queries = rng.normal(size=(m, d)) * np.exp(spread * rng.normal(size=d))
    check_slack(vectors, queries)
    check_slack(tail, queries, Rotation.of(vectors))


@pytest.mark.parametrize("size", [1e-42, 1e-310])
def test_tiny_and_zero_numbers_are_quantized(size: float) -> None:
    vectors = np.full((3, 5), 1e-30, np.float32)
    check_slack(vectors, np.full((2, 5), size))


def test_a_query_of_zeros_scores_all_rows_0() -> None:
    scores = scored(np.ones((4, 3), np.float32), np.zeros((1, 3)))
    assert not scores.products.any()


def test_a_matrix_of_nothing_but_zeros_scores_0() -> None:
    scores = scored(np.zeros((4, 3), np.float32), np.ones((2, 3)))
    assert not scores.products.any()
