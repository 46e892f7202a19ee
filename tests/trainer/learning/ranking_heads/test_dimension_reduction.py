"""Reduction of implicit ALS: scores, and lists of users without ratings, are kept."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.fold_in.fold_in import fold
from foldin_trainer.data import Dataset
from foldin_trainer.learning.ranking_heads.ials.dimension_reduction import reduced
from foldin_trainer.learning.ranking_heads.ials.head import IalsPlan, ranking_by_ials
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings, train_ials
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from foldin_trainer.learning.ranking_heads.trained_head import Ranking

WIDE = IalsSettings(dimension=48, iterations=3, device="cpu")


@pytest.fixture(scope="module")
def wide(tiny: Dataset) -> Ranking:
    rule = rule_for(tiny.ratings.scale)
    return ranking_by_ials(train_ials(tiny.ratings, WIDE, rule), tiny.ratings, rule)


def test_popularity_stays_exactly_as_it_is(wide: Ranking) -> None:
    cut = reduced(wide, 8)
    assert cut.vectors.shape[1] == 8
    assert np.allclose(cut.vectors @ cut.popular, wide.vectors @ wide.popular, atol=1e-5)


def test_scores_that_need_no_more_dimensions_stay_exactly(wide: Ranking) -> None:
    users = wide.user_vectors.copy()
    users[:, 5:] = 0.0
    few = replace(wide, user_vectors=users, popular=users[0])
    cut = reduced(few, 8)
    assert np.allclose(cut.user_vectors @ cut.vectors.T, users @ few.vectors.T, atol=1e-5)


def test_a_folded_user_is_the_best_one_of_the_subspace(wide: Ranking) -> None:
    head = reduced(wide, 8).head(0.1)
    rows, values = np.arange(20, dtype=np.int32), np.full(20, 5.0)
    rated = head.vectors[rows].astype(np.float64)
    weights, targets = head.weights(values), head.targets(rows, values)
    normal = np.eye(8) + (rated.T * weights) @ rated
    wanted = np.linalg.solve(normal, head.prior + rated.T @ (weights * targets))
    assert np.allclose(fold(head, rows, values, head.prior).vector, wanted, atol=1e-6)


def test_a_thousand_dimensions_are_learned_and_94_served(tiny: Dataset) -> None:
    settings = replace(WIDE, dimension=1024, iterations=1)
    ranking = IalsPlan(settings).learn(tiny.ratings, tiny.items)
    assert ranking.vectors.shape[1] == ranking.user_vectors.shape[1] == 94
    assert np.isfinite(ranking.vectors).all()
