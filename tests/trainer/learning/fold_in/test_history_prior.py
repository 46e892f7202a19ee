"""The prior by rated items: planted effects are found, and the heads and their tuning use it."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import fold
from foldin_model.scale import Scale
from foldin_trainer.data import Ratings
from foldin_trainer.data.splits import HeldOutCase
from foldin_trainer.learning.fold_in.constants import tune_rating
from foldin_trainer.learning.fold_in.fold_in_cases import cases_by_length
from foldin_trainer.learning.fold_in.history_prior import history_prior
from foldin_trainer.learning.fold_in.served_rating_head import (
    rating_head,
    trained_rating_vectors,
    user_prior,
)
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.rating_heads.factors import (
    RatingFactors,
    item_rows,
    training_noise,
    user_rows,
)

USERS, ITEMS, NOISE = 300, 40, 0.5
SCALE = Scale(-20.0, 20.0)


class Planted:
    """Users whose vectors depend on what they rate, by known effects."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.effects = rng.normal(size=(ITEMS, 3)) * [1.0, 2.0, 0.5]
        self.mean = np.array([0.2, -0.4, 0.3])
        root = 0.4 * rng.normal(size=(3, 3))
        self.covariance = root @ root.T + 0.05 * np.eye(3)
        self.items = rng.normal(size=(ITEMS, 2))
        pairs, values, vectors = [], [], []
        for user in range(USERS):
            rated = np.sort(rng.choice(ITEMS, int(rng.integers(15, 31)), replace=False))
            mean = self.mean + self.effects[rated].sum(axis=0) / np.sqrt(len(rated))
            vector = rng.multivariate_normal(mean, self.covariance)
            predicted = np.column_stack((np.ones(len(rated)), self.items[rated])) @ vector
            pairs += [(user, item) for item in rated.tolist()]
            values += (predicted + np.sqrt(NOISE) * rng.normal(size=len(rated))).tolist()
            vectors.append(vector)
        self.vectors = np.array(vectors)
        users, items = np.array(pairs, np.int32).T
        self.ratings = Ratings(
            user_ids=tuple(map(str, range(USERS))),
            item_ids=tuple(map(str, range(ITEMS))),
            users=users.copy(),
            items=items.copy(),
            values=np.array(values),
            timestamps=None,
            scale=SCALE,
        )

    def result(self, vectors: Doubles) -> RatingFactors:
        return RatingFactors(
            mean=0.0,
            user_biases=vectors[:, 0].astype(np.float32),
            user_vectors=vectors[:, 1:].astype(np.float32),
            item_biases=np.zeros(ITEMS, np.float32),
            item_vectors=self.items.astype(np.float32),
            epochs=(),
            best_epoch=0,
        )


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


def told_by(prior: UserPrior, ratings: Ratings) -> Doubles:
    assert prior.effects is not None
    means = np.tile(prior.mean, (USERS, 1))
    sizes = np.bincount(ratings.users, minlength=USERS)
    np.add.at(
        means,
        ratings.users,
        prior.effects[ratings.items] / np.sqrt(sizes[ratings.users])[:, None],
    )
    return means


def test_means_and_covariance_of_planted_users_are_found(planted: Planted) -> None:
    prior = history_prior(planted.result(planted.vectors), planted.ratings, ridge=1.0)
    truth = UserPrior(planted.mean, planted.covariance, planted.effects)
    wanted, found = told_by(truth, planted.ratings), told_by(prior, planted.ratings)
    assert np.square(found - wanted).mean() < 0.2 * wanted.var(axis=0).mean()
    assert np.allclose(prior.covariance, planted.covariance, atol=0.4 * planted.covariance.max())
    assert np.linalg.eigvalsh(prior.covariance).min() > 0.0


def test_a_strong_ridge_leaves_the_average_user(planted: Planted) -> None:
    prior = history_prior(planted.result(planted.vectors), planted.ratings, ridge=1e9)
    assert np.allclose(prior.mean, planted.vectors.mean(axis=0), atol=1e-6)
    assert prior.effects is not None
    assert np.abs(prior.effects).max() < 1e-4


def test_the_heads_encoder_is_the_priors_mean_in_its_own_basis(planted: Planted) -> None:
    result = planted.result(planted.vectors)
    prior = user_prior(result, planted.ratings, 3.0)
    head = rating_head(result, SCALE, prior, NOISE)
    assert head.encoder is not None
    rows, values = np.array([2, 7, 11], np.int32), np.array([1.0, -2.0, 0.5])
    led = head.prior + head.encoder.encode(rows, values)
    assert prior.effects is not None
    mean = prior.mean + prior.effects[rows].sum(axis=0) / np.sqrt(3)
    designs = item_rows(result)
    assert np.allclose(head.vectors @ led, designs @ mean, atol=1e-4)
    precision = np.linalg.inv(prior.covariance)
    normal = precision + designs[rows].T @ designs[rows] / NOISE
    wanted = np.linalg.solve(normal, precision @ mean + values @ designs[rows] / NOISE)
    folded = fold(head, rows, values, head.prior).vector
    assert np.allclose(head.vectors @ folded, designs @ wanted, atol=1e-4)


def test_trained_vectors_predict_alike_in_the_heads_basis(planted: Planted) -> None:
    result = planted.result(planted.vectors)
    prior = user_prior(result, planted.ratings, 3.0)
    head = rating_head(result, SCALE, prior, NOISE)
    trained = trained_rating_vectors(result, prior, NOISE)
    designs = item_rows(result)
    assert np.allclose(trained @ head.vectors.T, user_rows(result) @ designs.T, atol=1e-3)


def test_held_out_users_choose_a_map_from_histories_where_there_is_one(planted: Planted) -> None:
    ratings = planted.ratings
    held = range(0, USERS, 5)
    known = ratings.take(np.flatnonzero(~np.isin(ratings.users, list(held))))
    cases = []
    for user in held:
        index = np.flatnonzero(ratings.users == user)
        cases.append(HeldOutCase(user, index[:-5], index[-5:]))
    by_length = cases_by_length(ratings, cases)
    result = planted.result(planted.vectors)
    bare = tune_rating(result, known, by_length, (None,))
    moved = tune_rating(result, known, by_length, (None, 1.0, 10.0))
    assert moved.ridge is not None
    assert moved.mean < bare.mean
    assert moved.noise >= training_noise(result, known)


def test_users_without_ratings_do_not_shape_the_prior(planted: Planted) -> None:
    kept = np.flatnonzero(planted.ratings.users != 0)
    part = planted.ratings.take(kept)
    strange = replace(planted.result(planted.vectors))
    strange.user_vectors[0] = 1e3
    prior = history_prior(strange, part, 1.0)
    assert np.abs(prior.mean).max() < 10.0
