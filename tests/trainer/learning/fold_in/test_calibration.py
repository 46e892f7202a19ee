"""Calibrated intervals cover nine ratings in ten, whatever noise the head folds with."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.scale import Scale
from foldin_model.trained.uncertainty import Uncertainty
from foldin_trainer.data import Ratings
from foldin_trainer.data.splits import HeldOutCase
from foldin_trainer.learning.fold_in.calibration import (
    Validation,
    coverage,
    noise_factor,
    trained_coverage,
    trained_noise,
    uncertainty_of,
)
from foldin_trainer.learning.fold_in.fold_in_cases import CasesByLength, cases_by_length
from foldin_trainer.learning.rating_heads.spread import Spread

USERS, ITEMS, DIMENSION, NOISE = 160, 60, 3, 0.5
SCALE = Scale(-30.0, 30.0)


class Planted:
    """Users drawn from the prior of a known head; half of their ratings are hidden."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        vectors = (0.6 * rng.normal(size=(ITEMS, DIMENSION))).astype(np.float32)
        self.head = Head(
            vectors,
            np.zeros(ITEMS, np.float32),
            0.0,
            np.zeros(DIMENSION),
            RatingRule((-30.0, 30.0), (1.0, 1.0), (-30.0, 30.0)),
        )
        self.item_noise = rng.uniform(0.5, 1.5, ITEMS)
        rated = [np.sort(rng.choice(ITEMS, 40, replace=False)) for _ in range(USERS)]
        values = []
        for rows in rated:
            user = np.sqrt(NOISE) * rng.normal(size=DIMENSION)
            noise = NOISE * self.item_noise[rows] / rng.gamma(3.0, 1.0 / 3.0)
            values.append(vectors[rows] @ user + np.sqrt(noise) * rng.normal(size=40))
        self.ratings = Ratings(
            user_ids=tuple(map(str, range(USERS))),
            item_ids=tuple(map(str, range(ITEMS))),
            users=np.repeat(np.arange(USERS, dtype=np.int32), 40),
            items=np.concatenate(rated).astype(np.int32),
            values=np.concatenate(values),
            timestamps=None,
            scale=SCALE,
        )

    def by_length(self, start: int) -> CasesByLength:
        cases = []
        for user in range(start, USERS, 2):
            index = np.arange(40 * user, 40 * user + 40)
            cases.append(HeldOutCase(user, index[:30], index[30:]))
        return cases_by_length(self.ratings, cases)

    def covered(self, uncertainty: Uncertainty) -> list[float]:
        return [coverage(self.head, uncertainty, SCALE, group) for group in self.by_length(1)]


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


@pytest.mark.parametrize("believed", [0.6, 1.0, 1.5])
def test_intervals_cover_nine_in_ten_after_calibration_on_other_users(
    planted: Planted, believed: float
) -> None:
    noise = believed * NOISE
    factor = noise_factor(planted.head, planted.ratings, noise, None, planted.by_length(0))
    uncertainty = uncertainty_of(planted.head, planted.ratings, noise, None, factor)
    assert 0.88 < np.mean(planted.covered(uncertainty)) < 0.92


@pytest.mark.parametrize("believed", [0.6, 1.0, 1.5])
def test_intervals_of_trained_users_cover_nine_in_ten_after_calibration(
    planted: Planted, believed: float
) -> None:
    """The users' vectors are fitted to their ratings, for several assumed noises."""
    place = np.arange(len(planted.ratings)) % 40
    kept, held, test = (
        planted.ratings.take(np.flatnonzero(part))
        for part in (place < 24, (place >= 24) & (place < 32), place >= 32)
    )
    vectors = np.array(
        [
            fold(planted.head, kept.items[one], kept.values[one], planted.head.prior).vector
            for one in (kept.users == user for user in range(USERS))
        ]
    )
    uncertainty = uncertainty_of(planted.head, kept, believed * NOISE, None)
    factor = trained_noise(planted.head, uncertainty, vectors, Validation(kept, held))
    uncertainty = replace(uncertainty, trained_noise=factor)
    tested = Validation(kept, test)
    assert 0.88 < trained_coverage(planted.head, uncertainty, vectors, tested) < 0.92


def test_without_held_out_ratings_trained_users_have_the_noise_of_others(planted: Planted) -> None:
    none = Validation(planted.ratings, planted.ratings.take(np.zeros(0, np.int64)))
    uncertainty = uncertainty_of(planted.head, planted.ratings, NOISE, None)
    vectors = np.zeros((USERS, DIMENSION))
    assert trained_noise(planted.head, uncertainty, vectors, none) == 1.0


def test_the_true_noise_needs_no_factor(planted: Planted) -> None:
    spread = Spread(
        user_variances=np.zeros(USERS, np.float32),
        item_variances=np.zeros(ITEMS, np.float32),
        user_noise=np.ones(USERS, np.float32),
        item_noise=(7.0 * planted.item_noise).astype(np.float32),
    )
    uncertainty = uncertainty_of(planted.head, planted.ratings, NOISE, spread)
    ratio = uncertainty.item_noise / (NOISE * planted.item_noise)
    assert np.allclose(ratio, ratio[0], rtol=1e-5)
    assert not uncertainty.item_variances.any()
    for share in planted.covered(uncertainty):
        assert 0.87 < share < 0.93


def test_variance_that_user_vectors_explain_is_not_counted_for_items(planted: Planted) -> None:
    doubts = []
    for variance in (1e-9, 0.5, 5.0):
        spread = Spread(
            user_variances=np.ones(USERS, np.float32),
            item_variances=np.full(ITEMS, variance, np.float32),
            user_noise=np.ones(USERS, np.float32),
            item_noise=np.ones(ITEMS, np.float32),
        )
        uncertainty = uncertainty_of(planted.head, planted.ratings, NOISE, spread)
        doubts.append(uncertainty.item_variances)
        assert (uncertainty.item_variances < variance).all()
    assert not doubts[0].any()
    assert (doubts[1] < doubts[2]).all()
