"""The newcomers' prior is found from their ratings alone."""

import numpy as np
from foldin_model.heads import Scale
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.bayes.fold_in import FoldInPrior, estimate
from foldin_trainer.learning.mf import MfResult
from foldin_trainer.learning.prior import UserPrior

USERS, ITEMS, SIZE = 600, 80, 3
NOISE = 0.25
MEAN = np.array([0.3, -0.2, 0.1])
ROOT = np.array([[0.6, 0.0, 0.0], [0.2, 0.5, 0.0], [-0.1, 0.1, 0.2]])


def planted() -> tuple[MfResult, Ratings]:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((ITEMS, SIZE - 1)).astype(np.float32)
    biases = random.standard_normal(ITEMS).astype(np.float32)
    people = MEAN + random.standard_normal((USERS, SIZE)) @ ROOT.T
    users = np.repeat(np.arange(USERS), 12)
    items = np.concatenate([random.choice(ITEMS, 12, replace=False) for _ in range(USERS)])
    products = (np.column_stack((np.ones(ITEMS), vectors))[items] * people[users]).sum(axis=1)
    noise = np.sqrt(NOISE) * random.standard_normal(len(users))
    nobody = np.zeros((USERS, SIZE - 1), np.float32)
    factors = MfResult(3.5, nobody[:, 0], nobody, biases, vectors, (), 0)
    ratings = Ratings(
        user_ids=tuple(map(str, range(USERS))),
        item_ids=tuple(map(str, range(ITEMS))),
        users=users.astype(np.int32),
        items=items.astype(np.int32),
        values=3.5 + biases[items] + products + noise,
        timestamps=None,
        scale=Scale(-20.0, 20.0),
    )
    return factors, ratings


def test_mean_covariance_and_noise_of_the_planted_users_are_found() -> None:
    factors, ratings = planted()
    start = FoldInPrior(UserPrior(np.zeros(SIZE), np.eye(SIZE)), 1.0)
    found = estimate(factors, ratings, start, steps=30)
    wanted = (50.0 * np.eye(SIZE) + USERS * ROOT @ ROOT.T) / (50.0 + USERS)
    assert np.allclose(found.prior.mean, MEAN, atol=0.06)
    assert np.allclose(found.prior.covariance, wanted, atol=0.06)
    assert abs(found.noise_variance - NOISE) < 0.02
