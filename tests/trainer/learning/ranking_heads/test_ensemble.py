"""A blend of ranking heads: how it follows from its parts, and how its weights are chosen."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head
from foldin_trainer.data import Dataset
from foldin_trainer.data.splits import held_out_users
from foldin_trainer.learning.head_choice import choose_ranking
from foldin_trainer.learning.ranking_heads.ease.trainer import EaseSettings, train_ease
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.ensemble.blend import Part, blend
from foldin_trainer.learning.ranking_heads.ensemble.head import (
    BLENDS,
    EnsemblePlan,
    EnsembleSettings,
)
from foldin_trainer.learning.ranking_heads.ials.head import IalsPlan
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings
from foldin_trainer.learning.ranking_heads.ranking_head import HeldOutUsers
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.train_settings import TrainSettings

ENSEMBLE = EnsembleSettings(dimension=24, ease_dimension=24)
IALS = IalsSettings(dimension=6, iterations=3, device="cpu")
EASE = EaseSettings(dimension=12)
SETTINGS = HeadSettings((IALS, EASE, EncoderSettings(dimension=8, epochs=5), ENSEMBLE))


@pytest.fixture(scope="module")
def ease(tiny: Dataset) -> Part:
    return Part.of(train_ease(tiny.ratings, tiny.items, EASE), tiny.ratings)


@pytest.fixture(scope="module")
def ials(tiny: Dataset) -> Part:
    return Part.of(IalsPlan(IALS).learn(tiny.ratings, tiny.items), tiny.ratings)


def scores_of(head: Head, dataset: Dataset, user: int) -> Doubles:
    """All items' scores for a user's ratings alone, without the prior."""
    mine = np.flatnonzero(dataset.ratings.users == user)
    rows, values = dataset.ratings.items[mine], dataset.ratings.values[mine]
    vector = fold(head, rows, values, np.zeros(len(head.prior))).vector
    return np.asarray(head.vectors @ vector, np.float64)


def linear_scores(part: Part, dataset: Dataset, user: int) -> Doubles:
    mine = np.flatnonzero(dataset.ratings.users == user)
    counted = part.rule.factor(dataset.ratings.values[mine]) * len(mine) ** -part.exponent
    return np.asarray(part.items @ (counted @ part.inputs[dataset.ratings.items[mine]]), np.float64)


@pytest.mark.parametrize("user", [0, 7, 50])
def test_a_blend_of_one_part_is_that_part(tiny: Dataset, ease: Part, user: int) -> None:
    head = blend([ease], [0.3], tiny.ratings, ENSEMBLE.dimension, seed=0).head(0.0)
    np.testing.assert_allclose(
        scores_of(head, tiny, user), linear_scores(ease, tiny, user), atol=1e-4
    )


@pytest.mark.parametrize("user", [0, 7, 50])
def test_parts_without_weight_have_no_effect(
    tiny: Dataset, ease: Part, ials: Part, user: int
) -> None:
    alone = blend([ease], [1.0], tiny.ratings, ENSEMBLE.dimension, seed=0).head(0.0)
    beside = blend([ease, ials], [1.0, 0.0], tiny.ratings, ENSEMBLE.dimension, seed=0).head(0.0)
    np.testing.assert_array_equal(scores_of(alone, tiny, user), scores_of(beside, tiny, user))


def test_scores_of_a_blend_are_the_weighted_ones_of_parts_with_the_same_factors(
    tiny: Dataset, ease: Part, ials: Part
) -> None:
    alike = replace(ials, rule=ease.rule)
    head = blend([ease, alike], [0.75, 0.25], tiny.ratings, ENSEMBLE.dimension, seed=0).head(0.0)
    mine, other = linear_scores(ease, tiny, 7), linear_scores(alike, tiny, 7)
    blended = scores_of(head, tiny, 7)
    weights, *_ = np.linalg.lstsq(np.column_stack((mine, other)), blended, rcond=None)
    np.testing.assert_allclose(np.column_stack((mine, other)) @ weights, blended, atol=1e-4)
    assert weights[0] == pytest.approx(0.75, rel=0.01)
    assert weights[1] > 0


def test_implicit_als_is_nearly_linear(tiny: Dataset, ials: Part) -> None:
    head = IalsPlan(IALS).learn(tiny.ratings, tiny.items).head(0.0)
    for user in range(20):
        solved, linear = scores_of(head, tiny, user), linear_scores(ials, tiny, user)
        assert np.corrcoef(solved, linear)[0, 1] > 0.8


def test_the_same_input_gives_the_same_bits(tiny: Dataset, ease: Part, ials: Part) -> None:
    one, other = (
        blend([ease, ials], [0.5, 0.5], tiny.ratings, ENSEMBLE.dimension, seed=3) for _ in range(2)
    )
    np.testing.assert_array_equal(one.vectors, other.vectors)
    np.testing.assert_array_equal(one.user_vectors, other.user_vectors)


def test_weights_are_chosen_on_users_held_out(tiny: Dataset) -> None:
    fold_ = next(held_out_users(tiny.ratings, 5, 0))
    held_out = HeldOutUsers(
        tiny.ratings.take(fold_.train_index), tiny.items, tiny.ratings, fold_.cases
    )
    chosen = choose_ranking(held_out, "ensemble", SETTINGS)
    plans = [one.plan for one in chosen.attempts]
    assert all(isinstance(plan, EnsemblePlan) for plan in plans)
    assert len(plans) == len(BLENDS)
    assert chosen.plan is plans[0]
    assert chosen.ranking.vectors.shape[1] == ENSEMBLE.dimension
    settled = TrainSettings(ranking_head="auto").settled(chosen.plan)
    assert settled.method == "mf+ensemble"
    weights = settled.heads.of(EnsembleSettings).weights
    assert weights in BLENDS
    kept = settled.flat()
    assert kept["ensemble.weights.0"] == weights[0]
    assert {"ease.l2", "ials.dimension", "encoder.dimension"} <= set(kept)
