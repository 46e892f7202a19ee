"""Prediction intervals: nine in ten ratings lie inside, for any history."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.ids import ItemId
from foldin_model.personal.rating_intervals import rating_intervals
from foldin_model.personal.user_vectors import fold_user
from foldin_model.scale import Scale
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.trained_users import pack_trained
from foldin_model.trained.uncertainty import (
    Uncertainty,
    VectorPosterior,
    interval,
    student_half_width,
)
from hypothesis import given
from hypothesis import strategies as st
from planted import planted
from snapshots import planted_snapshot, state_of

ITEMS, DIMENSION, DEGREES, NOISE = 300, 6, 6.0, 0.6
WIDE = Scale(-100.0, 100.0)
WHOLE = planted_snapshot(whole=True)
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class World:
    """Ratings drawn from the distribution that the model assumes."""

    head: Head
    uncertainty: Uncertainty
    rng: np.random.Generator

    def ratings(self) -> Doubles:
        """Returns ratings of every item by one user drawn at random."""
        rng, unsure = self.rng, self.uncertainty
        vector = rng.normal(size=DIMENSION) * np.sqrt(unsure.vector_variance)
        noise = unsure.item_noise / rng.gamma(DEGREES / 2, 2 / DEGREES)
        spread = np.sqrt(noise + unsure.item_variances)
        return np.asarray(
            self.head.vectors @ vector + 3.0 + spread * rng.normal(size=ITEMS), np.float64
        )


def world(seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    head = Head(
        vectors=(0.5 * rng.normal(size=(ITEMS, DIMENSION))).astype(np.float32),
        offsets=np.zeros(ITEMS, np.float32),
        constant=3.0,
        prior=np.zeros(DIMENSION),
        rule=RatingRule((-100.0, 100.0), (1.0, 1.0), (-100.0, 100.0)),
    )
    uncertainty = Uncertainty(
        item_noise=(NOISE * rng.gamma(8.0, 1 / 8.0, ITEMS)).astype(np.float32),
        item_variances=(0.1 * rng.random(ITEMS)).astype(np.float32),
        vector_variance=NOISE,
        degrees=DEGREES,
    )
    return World(head, uncertainty, rng)


def history(rng: np.random.Generator, n: int) -> Rows:
    return np.sort(rng.choice(ITEMS, n, replace=False)).astype(np.int32)


@pytest.mark.parametrize("n", [0, 1, 5, 20, 100])
def test_nine_in_ten_ratings_lie_within_whatever_the_history(n: int) -> None:
    made = world()
    inside = []
    for _ in range(300):
        ratings = made.ratings()
        rows = history(made.rng, n)
        others = np.setdiff1d(np.arange(ITEMS), rows).astype(np.int32)[:60]
        vector = fold(made.head, rows, ratings[rows], made.head.prior).vector
        unsure = VectorPosterior.of(made.head, made.uncertainty, rows, ratings[rows], vector)
        half_widths = unsure.half_widths(made.head, made.uncertainty, others)
        low, high = interval(made.head.score(others, vector), half_widths, WIDE)
        inside.append(((low <= ratings[others]) & (ratings[others] <= high)).mean())
    assert 0.88 < np.mean(inside) < 0.92


@given(seed=seeds, n=st.integers(0, 40))
def test_another_rating_makes_the_vector_no_less_sure(seed: int, n: int) -> None:
    made = world(seed)
    rows, values = history(made.rng, n + 1), made.rng.uniform(1.0, 5.0, n + 1)
    fewer, more = (
        VectorPosterior.of(
            made.head, made.uncertainty, rows[:size], values[:size], np.zeros(DIMENSION)
        )
        for size in (n, n + 1)
    )
    assert np.linalg.eigvalsh(fewer.covariance - more.covariance).min() > -1e-9
    assert np.linalg.eigvalsh(more.covariance).min() > 0.0


@given(seed=seeds, n=st.integers(1, 40), shift=st.floats(0.5, 5.0))
def test_a_user_who_rates_against_every_prediction_is_noisy(
    seed: int, n: int, shift: float
) -> None:
    made = world(seed)
    rows = history(made.rng, n)
    vector = made.rng.normal(size=DIMENSION)
    foreseen = made.head.score(rows, vector)
    near, far = (
        VectorPosterior.of(made.head, made.uncertainty, rows, foreseen + by, vector).noise
        for by in (shift / 2, shift)
    )
    assert near < far
    quiet = VectorPosterior.of(made.head, made.uncertainty, rows, foreseen, vector).noise
    assert quiet < near


@given(seed=seeds, n=st.integers(1, 40))
def test_item_variances_count_as_noise_only_for_trained_users(seed: int, n: int) -> None:
    made = world(seed)
    rows, values = history(made.rng, n), made.rng.uniform(1.0, 5.0, n)
    sure = replace(made.uncertainty, item_variances=np.zeros(ITEMS, np.float32))

    def noise(uncertainty: Uncertainty, *, trained: bool) -> float:
        vector = np.zeros(DIMENSION)
        return VectorPosterior.of(
            made.head, uncertainty, rows, values, vector, trained=trained
        ).noise

    assert noise(made.uncertainty, trained=False) < noise(sure, trained=False)
    assert noise(made.uncertainty, trained=True) == noise(sure, trained=True)
    twice = replace(sure, trained_noise=2.0)
    assert noise(twice, trained=True) == 2.0 * noise(sure, trained=True)
    assert noise(twice, trained=False) == noise(sure, trained=False)


def test_without_ratings_the_noise_is_the_average_users() -> None:
    made = world()
    none = np.zeros(0, np.int32)
    unsure = VectorPosterior.of(made.head, made.uncertainty, none, np.zeros(0), np.zeros(DIMENSION))
    assert unsure.noise == 1.0
    np.testing.assert_allclose(unsure.covariance, NOISE * np.eye(DIMENSION))


@given(seed=seeds)
def test_an_interval_holds_the_prediction_and_stays_on_the_scale(seed: int) -> None:
    rng, scale = np.random.default_rng(seed), Scale(0.5, 5.0)
    predicted, half_widths = rng.uniform(0.5, 5.0, 30), rng.uniform(0.0, 3.0, 30)
    low, high = interval(predicted, half_widths, scale)
    assert ((scale.low <= low) & (low <= predicted)).all()
    assert ((predicted <= high) & (high <= scale.high)).all()


@given(seed=seeds, level=st.floats(0.5, 0.98))
def test_a_higher_level_takes_a_wider_interval(seed: int, level: float) -> None:
    made = world(seed)
    rows = history(made.rng, 5)
    unsure = VectorPosterior.of(
        made.head, made.uncertainty, rows, np.full(5, 4.0), np.zeros(DIMENSION)
    )
    narrow, wide = (unsure.half_widths(made.head, made.uncertainty, rows, p) for p in (level, 0.99))
    assert (narrow < wide).all()


def test_half_widths_are_those_of_students_distribution() -> None:
    """Against its tables for a level of 90%."""
    degrees = np.array([6.0, 10.0, 30.0, np.inf])
    wanted = [1.943, 1.812, 1.697, 1.645]
    np.testing.assert_allclose(student_half_width(0.9, degrees), wanted, atol=0.01)


def test_new_items_are_as_noisy_as_the_average_and_as_unsure_as_the_least_known() -> None:
    more = world().uncertainty.with_new_items(2)
    assert len(more.item_noise) == ITEMS + 2
    np.testing.assert_allclose(more.item_noise[-2:], more.item_noise[:ITEMS].mean(), rtol=1e-6)
    assert (more.item_variances[-2:] == more.item_variances.max()).all()


def test_intervals_need_a_user_read_with_their_history() -> None:
    ids = WHOLE.model.catalog.item_ids
    state = state_of({ids[3]: 5.0, ids[7]: 1.0})
    user = fold_user(WHOLE, state)
    rows = np.arange(20, dtype=np.int32)
    found = rating_intervals(WHOLE, state, user, rows)
    assert found is not None
    low, high = found
    assert (low <= high).all()
    assert (low < high).any()
    with_profile = rating_intervals(WHOLE, state, user, rows, [(ItemId(ids[9]), 0.5)])
    assert with_profile is not None
    assert not np.array_equal(with_profile[0], low)
    assert rating_intervals(WHOLE, StoredUser(7, folded=user.pack()), user, rows) is None
    bare = planted_snapshot()
    assert bare.model.uncertainty is None
    assert rating_intervals(bare, state, fold_user(bare, state), rows) is None


def test_a_trained_user_counts_as_trained_after_another_rating_too() -> None:
    trained = next(iter(dict(pack_trained(planted(whole=True).users)).values()))
    ids = WHOLE.model.catalog.item_ids
    rows = np.arange(20, dtype=np.int32)
    stranger = state_of({ids[3]: 5.0, ids[7]: 1.0})
    user = fold_user(WHOLE, stranger)
    new = rating_intervals(WHOLE, stranger, user, rows)
    known = rating_intervals(WHOLE, stranger._replace(trained=trained), user, rows)
    assert new is not None
    assert known is not None
    assert (known[1] - known[0] >= new[1] - new[0]).all()
    assert (known[1] - known[0] > new[1] - new[0]).any()


def test_uncertainty_moves_with_the_rows() -> None:
    model = planted(whole=True).model
    order = np.random.default_rng(0).permutation(len(model.catalog))
    moved = model.reordered(order).uncertainty
    assert moved is not None
    assert model.uncertainty is not None
    np.testing.assert_array_equal(moved.item_noise, model.uncertainty.item_noise[order])
    np.testing.assert_array_equal(moved.item_variances, model.uncertainty.item_variances[order])
    assert moved.trained_noise == model.uncertainty.trained_noise == 1.5
