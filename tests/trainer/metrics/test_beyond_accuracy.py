"""Coverage, novelty, popularity bias, calibration and diversity against hand-computed values."""

import math

import numpy as np
import pytest
from foldin_trainer.metrics.beyond_accuracy import (
    coverage,
    diversity,
    genre_shares,
    gini,
    history_means,
    list_means,
    mean_popularity,
    miscalibration,
    novelty,
    popularity_lift,
)
from hypothesis import given
from hypothesis import strategies as st

LISTS = np.array([[0, 1], [0, 2], [0, -1]], np.int32)
COUNTS = np.array([7, 3, 1, 0, 0])


def test_coverage_is_the_share_of_items_in_any_list() -> None:
    assert coverage(LISTS, 5) == 3 / 5


def test_novelty_is_zero_bits_for_an_item_that_all_rated_and_grows_with_rarity() -> None:
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


GENRES = (("Comedy",), ("Comedy", "Drama"), ("Drama",), ("Horror",), ())


def test_a_users_numbers_are_means_over_their_list_and_history() -> None:
    values = COUNTS.astype(np.float64)
    assert list_means(LISTS, values).tolist() == [5.0, 4.0, 7.0]
    assert math.isnan(list_means(np.full((1, 2), -1, np.int32), values)[0])
    (mean, nothing) = history_means([np.array([1, 2], np.int32), np.zeros(0, np.int32)], values)
    assert mean == 2.0
    assert math.isnan(nothing)


def test_popularity_lift_compares_group_means_of_users_with_both() -> None:
    shown = np.array([6.0, 3.0, 100.0])
    rated = np.array([4.0, 2.0, np.nan])
    assert popularity_lift(shown, rated) == pytest.approx(9.0 / 6.0 - 1.0)
    assert math.isnan(popularity_lift(shown[2:], rated[2:]))


def test_genres_share_an_item_evenly() -> None:
    shares = genre_shares(GENRES)
    assert shares.tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_miscalibration_is_the_smoothed_divergence_from_the_history() -> None:
    shares = genre_shares(GENRES)
    lists = np.array([[0, 2], [0, -1], [0, 4], [4, -1]], np.int32)
    both = np.array([0, 2], np.int32)
    found = miscalibration(lists, [both, both, np.array([3], np.int32), both], shares)
    assert found[0] == pytest.approx(0.0)
    # p = (1/2, 1/2), q = (1, 0): q~ = (0.99 + 0.005, 0.005)
    expected = 0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(0.5 / 0.005)
    assert found[1] == pytest.approx(expected)
    assert found[2] == pytest.approx(math.log(1.0 / 0.01))
    assert math.isnan(found[3])
    assert np.isnan(miscalibration(lists, [both] * 4, np.zeros((5, 0)))).all()


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    shares = genre_shares(GENRES)
    lists = np.array([[0, 2, 3], [0, 0, 0], [0, 1, -1], [0, 4, -1]], np.int32)
    found = diversity(lists, shares)
    assert found[:2] == pytest.approx([1.0, 0.0])
    assert found[2] == pytest.approx(1.0 - 1.0 / math.sqrt(2.0))
    assert math.isnan(found[3])
