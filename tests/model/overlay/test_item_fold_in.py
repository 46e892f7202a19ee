"""Fold-in of a new item: its row minimizes the quadratic with the users fixed."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Floats
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.overlay.item_fold_in import NOISE_SHARE, ItemSpread, fold_item
from foldin_model.records.item_overlay import ItemRating
from foldin_model.trained.model import Model
from hypothesis import given
from hypothesis import strategies as st
from overlays import rated
from planted import Planted

D = 8


def by_seed(value: float, seed: int) -> ItemRating:
    taste, leaning = np.random.default_rng(seed).normal(size=(2, D))
    return rated(value, taste, leaning)


RATED = st.builds(by_seed, st.sampled_from([0.5, 2.0, 3.5, 5.0]), st.integers(0, 99))
MANY = st.lists(RATED, min_size=1, max_size=12)
SPREAD = ItemSpread(np.linspace(0.2, 1.0, 2 * D + 1))
CONTENT = np.linspace(-0.5, 0.5, 2 * D + 1).astype(np.float32)


def named(ratings: list[ItemRating]) -> list[tuple[str, ItemRating]]:
    return [(f"user {number}", rating) for number, rating in enumerate(ratings)]


def loss(model: Model, row: Doubles, ratings: list[ItemRating]) -> float:
    """Returns the quadratic that the folded row minimizes, as the method states it."""
    total = float((((row - CONTENT) / SPREAD.deviations) ** 2).sum())
    noise = NOISE_SHARE * (model.scale.high - model.scale.low)
    for rating in ratings:
        weight = float(model.ranking_rule.weight([rating.value])[0])
        target = float(model.ranking_rule.target([rating.value])[0])
        total += weight * (target - float(rating.ranking_vector @ row[:D])) ** 2
        predicted = model.rating_mean + float(row[D] + rating.rating_vector @ row[D + 1 :])
        total += (rating.value - predicted) ** 2 / noise**2
    return total


def test_without_ratings_an_item_keeps_its_content_row(small: Planted) -> None:
    assert fold_item(small.model, SPREAD, CONTENT, []) is CONTENT


@given(ratings=MANY, seed=st.integers(0, 9))
def test_the_folded_row_is_the_best_of_its_quadratic(
    small: Planted, ratings: list[ItemRating], seed: int
) -> None:
    row = fold_item(small.model, SPREAD, CONTENT, named(ratings)).astype(float)
    best = loss(small.model, row, ratings)
    step = 0.05 * np.random.default_rng(seed).normal(size=len(row)) * SPREAD.deviations
    assert best <= loss(small.model, row + step, ratings) + 1e-6


@given(ratings=MANY, order=st.randoms())
def test_the_order_of_ratings_does_not_change_a_bit(
    small: Planted, ratings: list[ItemRating], order: Random
) -> None:
    pairs = named(ratings)
    row = fold_item(small.model, SPREAD, CONTENT, pairs)
    order.shuffle(pairs)
    assert fold_item(small.model, SPREAD, CONTENT, pairs).tobytes() == row.tobytes()


def test_a_user_who_liked_the_item_gets_a_higher_prediction(small: Planted) -> None:
    taste, leaning = np.eye(D)[0], np.eye(D)[1]
    for value, sign in ((5.0, 1), (0.5, -1)):
        ratings = named([rated(value, taste, leaning)] * 5)
        row = fold_item(small.model, SPREAD, np.zeros_like(CONTENT), ratings)
        assert sign * row[:D] @ taste > 0.05
        assert sign * (row[D] + row[D + 1 :] @ leaning) > 0.2


def test_a_coordinate_in_which_items_never_differ_stays(small: Planted) -> None:
    spread = ItemSpread(np.r_[0.0, np.ones(2 * D)])
    row = fold_item(small.model, spread, CONTENT, named([rated(5.0, np.ones(D), np.ones(D))]))
    assert row[0] == CONTENT[0]
    assert row[1] != CONTENT[1]


@pytest.mark.parametrize(("value", "sign"), [(5.0, 1), (0.5, -1)])
def test_in_an_encoder_head_the_target_is_the_factor_of_the_rating(
    small: Planted, value: float, sign: int
) -> None:
    encoder = LinearEncoder(_vectors(small), EncoderRule((0.5, 5.0), (-1.0, 1.0)), 0.5)
    model = _encoder(small.model, encoder)
    ratings = named([rated(value, np.ones(D), np.ones(D))])
    row = fold_item(model, SPREAD, np.zeros_like(CONTENT), ratings)
    assert sign * row[:D].sum() > 0


def test_the_spread_is_the_distance_of_items_from_their_content_rows() -> None:
    items = np.array([[1, 2], [3, 2]], np.float32)
    spread = ItemSpread.of(items, np.array([[0, 2], [3, 2]], np.float32))
    assert np.allclose(spread.deviations, [np.sqrt(0.5), 0])
    assert ItemSpread.of(items[:0], items[:0]).deviations.tolist() == [0, 0]


def _vectors(small: Planted) -> Floats:
    return np.ones((len(small.model.items), D), np.float32)


def _encoder(model: Model, encoder: LinearEncoder) -> Model:
    rule = replace(model.ranking_rule, weights=(0.0, 0.0, 0.0))
    return replace(model, ranking_rule=rule, ranking_encoder=encoder)
