"""Coverage, novelty and popularity bias against hand-computed values."""

import math

import numpy as np
import pytest
from foldin_trainer.evaluation.beyond_accuracy import coverage, gini, mean_popularity, novelty
from hypothesis import given
from hypothesis import strategies as st

LISTS = np.array([[0, 1], [0, 2], [0, -1]], np.int32)
COUNTS = np.array([7, 3, 1, 0, 0])


def test_coverage_is_the_share_of_items_that_anybody_is_shown() -> None:
    assert coverage(LISTS, 5) == 3 / 5


def test_novelty_is_zero_bits_for_what_everybody_rated_and_grows_with_rarity() -> None:
    bits = [0.0, 1.0, 0.0, 2.0, 0.0]
    assert novelty(LISTS, COUNTS, users=7) == pytest.approx(sum(bits) / len(bits))
    assert novelty(np.array([[3]], np.int32), COUNTS, users=7) == pytest.approx(3.0)


def test_mean_popularity_averages_over_places_not_over_items() -> None:
    assert mean_popularity(LISTS, COUNTS) == pytest.approx((7 * 3 + 3 + 1) / 5)


def test_gini_is_zero_for_even_exposure_and_near_one_for_a_single_item() -> None:
    assert gini(np.arange(6, dtype=np.int32).reshape(3, 2), 6) == pytest.approx(0.0)
    assert gini(np.zeros((50, 1), np.int32), 100) == pytest.approx(0.99)


def test_empty_lists_have_no_value() -> None:
    nothing = np.full((2, 3), -1, np.int32)
    assert coverage(nothing, 5) == 0.0
    assert math.isnan(novelty(nothing, COUNTS, users=7))
    assert math.isnan(mean_popularity(nothing, COUNTS))
    assert math.isnan(gini(nothing, 5))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_gini_equals_half_the_relative_mean_difference(shown: list[int]) -> None:
    exposure = np.bincount(shown, minlength=10)
    differences = np.abs(exposure[:, None] - exposure[None, :]).sum()
    expected = differences / (2 * 10 * exposure.sum())
    assert gini(np.array([shown], np.int32), 10) == pytest.approx(expected)
