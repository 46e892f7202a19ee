"""New users start from the moments of the trained users, and from popularity."""

import numpy as np
import pytest
from foldin_trainer.data import Dataset
from foldin_trainer.learning.fold_in.served_rating_head import Learned, rating_head
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.ranking_heads.ials.head import ranking_by_ials
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings, train_ials
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from foldin_trainer.learning.rating_heads.factors import item_rows, user_rows
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings, train_mf


@pytest.fixture(scope="module")
def learned(tiny: Dataset) -> Learned:
    mf = train_mf(tiny.ratings, MfSettings(dimension=6, epochs=4, device="cpu"))
    rule = rule_for(tiny.ratings.scale)
    ials = train_ials(tiny.ratings, IalsSettings(dimension=6, iterations=4, device="cpu"), rule)
    return Learned(tiny.ratings, mf, ranking_by_ials(ials, tiny.ratings, rule))


def test_the_prior_has_the_mean_and_the_average_variance_of_the_users(learned: Learned) -> None:
    prior = UserPrior.of(learned.rating_factors, learned.ratings)
    vectors = user_rows(learned.rating_factors)
    assert np.allclose(prior.mean, vectors.mean(axis=0))
    assert np.isclose(np.trace(prior.covariance), vectors.var(axis=0).sum())
    assert np.linalg.eigvalsh(prior.covariance).min() > 0.0


def test_users_without_ratings_do_not_shape_the_prior(learned: Learned) -> None:
    part = learned.ratings.take(learned.ratings.users != 0)
    prior = UserPrior.of(learned.rating_factors, part)
    assert np.allclose(prior.mean, user_rows(learned.rating_factors)[1:].mean(axis=0))


def test_the_rating_head_predicts_the_mean_user_before_any_rating(learned: Learned) -> None:
    head = rating_head(
        learned.rating_factors,
        learned.ratings.scale,
        UserPrior.of(learned.rating_factors, learned.ratings),
        0.5,
    )
    rows = np.arange(len(learned.ratings.item_ids), dtype=np.int32)
    mean_user = user_rows(learned.rating_factors).mean(axis=0)
    wanted = (
        learned.rating_factors.mean
        + learned.rating_factors.item_biases
        + item_rows(learned.rating_factors) @ mean_user
    )
    assert np.allclose(head.score(rows, head.prior), wanted, atol=1e-4)


def test_a_noisier_prior_is_a_stronger_one(learned: Learned) -> None:
    prior = UserPrior.of(learned.rating_factors, learned.ratings)
    quiet, noisy = (
        rating_head(learned.rating_factors, learned.ratings.scale, prior, 0.1),
        rating_head(learned.rating_factors, learned.ratings.scale, prior, 0.4),
    )
    assert np.allclose(quiet.vectors, 2.0 * noisy.vectors, rtol=1e-4, atol=1e-6)


def test_a_user_without_ratings_is_ranked_like_popularity(learned: Learned) -> None:
    head = learned.ranking.head(0.1)
    counts = np.bincount(learned.ratings.items, minlength=len(head.vectors))
    scores = head.vectors @ head.prior
    order = np.argsort(np.argsort(scores))
    wanted = np.argsort(np.argsort(counts))
    assert np.corrcoef(order, wanted)[0, 1] > 0.8
    assert np.intersect1d(np.argsort(-scores)[:10], np.argsort(-counts)[:20]).size >= 8
