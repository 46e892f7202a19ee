"""Products in whole numbers: the same in every layout, and none takes memory for nothing."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from foldin_model.whole_rows import PackedRows, PlainRows, WholeRows, small_rows
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

LAYOUTS = [PackedRows, PlainRows, small_rows]


def whole_numbers(rng: np.random.Generator, n: int, d: int, spread: int) -> NDArray[np.int8]:
    return rng.integers(-spread, spread, (n, d)).clip(-127, 127).astype(np.int8)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(
    n=st.integers(1, 150),
    d=st.integers(1, 260),
    m=st.integers(1, 20),
    spread=st.sampled_from([1, 100, 10_000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_products_are_those_of_long_numbers(
    *,
    layout: Callable[[NDArray[np.int8]], WholeRows],
    n: int,
    d: int,
    m: int,
    spread: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    rows, queries = whole_numbers(rng, n, d, spread), whole_numbers(rng, m, d, spread)
    expected = queries.astype(np.int64) @ rows.T.astype(np.int64)
    laid_out = layout(rows)
    rows[:] = 0  # they are a copy
    products = laid_out.products(queries)
    assert products.dtype == np.int32
    np.testing.assert_array_equal(products, expected)


@pytest.mark.parametrize("dimension", [8, 48, 64, 65, 128, 200])
def test_small_rows_take_hardly_more_than_their_numbers(dimension: int) -> None:
    rows = np.ones((1_000, dimension), np.int8)
    filled_up = 64 * math.ceil(dimension / 64) * len(rows)
    assert small_rows(rows).memory_bytes <= 1.3 * filled_up
    assert small_rows(rows).memory_bytes <= PackedRows(rows).memory_bytes
