"""Implicit ALS against a matrix with a known answer and against its own objective."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_model.heads import RatingRule, Scale
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.learning.half_step import Side, solve_side
from foldin_trainer.learning.ials import IalsResult, IalsSettings, train_ials
from foldin_trainer.learning.weighting import rule_for
from torch import device, tensor

CPU = device("cpu")
QUICK = IalsSettings(dimension=6, iterations=6, device="cpu")
RULE = RatingRule((1.0, 3.0, 5.0), (1.0, 1.0, 2.0), (-0.5, 0.5, 1.0))


def checkerboard(size: int = 20) -> Ratings:
    """Even users rate even items, odd ones odd items, each leaving out its own number."""
    users, items = np.nonzero(np.add.outer(np.arange(size), np.arange(size)) % 2 == 0)
    kept = users != items
    return Ratings(
        user_ids=tuple(map(str, range(size))),
        item_ids=tuple(map(str, range(size))),
        users=users[kept].astype(np.int32),
        items=items[kept].astype(np.int32),
        values=np.full(int(kept.sum()), 5.0),
        timestamps=None,
        scale=Scale(1.0, 5.0),
    )


def objective(ratings: Ratings, result: IalsResult, settings: IalsSettings) -> float:
    scores = result.user_vectors.astype(np.float64) @ result.item_vectors.T
    given = scores[ratings.users, ratings.items]
    misses = RULE.weight(ratings.values) * (RULE.target(ratings.values) - given) ** 2
    penalty = settings.user_l2 * np.sum(result.user_vectors.astype(np.float64) ** 2)
    penalty += settings.item_l2 * np.sum(result.item_vectors.astype(np.float64) ** 2)
    return float(misses.sum() + settings.unobserved_weight * np.sum(scores**2) + penalty)


def test_a_checkerboard_is_completed() -> None:
    board = checkerboard()
    settings = replace(QUICK, unobserved_weight=0.1, user_l2=0.1, item_l2=0.1)
    result = train_ials(board, settings, rule_for(board.scale))
    scores = result.user_vectors @ result.item_vectors.T
    own = np.diag(scores)
    strange = [scores[user, item] for user in range(20) for item in range(20) if (user + item) % 2]
    assert own.min() > max(strange) + 0.3


def test_every_sweep_lowers_the_objective(tiny: Dataset) -> None:
    settings = replace(QUICK, item_l2_exponent=0.0)
    values = [
        objective(
            tiny.ratings,
            train_ials(tiny.ratings, replace(settings, iterations=sweeps), RULE),
            settings,
        )
        for sweeps in range(1, 6)
    ]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("count", [1, 5, 8, 40])
def test_a_half_step_solves_the_normal_equations_of_every_row(count: int) -> None:
    rng = np.random.default_rng(count)
    vectors = rng.normal(size=(50, 8))
    rows = np.repeat(np.arange(4, dtype=np.int32), count)
    columns = np.concatenate([rng.permutation(50)[:count] for _ in range(4)]).astype(np.int32)
    weights, targets = rng.uniform(0.0, 2.0, 4 * count), rng.normal(size=4 * count)
    l2 = np.array([0.5, 1.0, 2.0, 4.0, 1.0], np.float32)
    side = Side.gather(rows, columns, weights, targets, size=5, device=CPU)
    found = solve_side(side, tensor(vectors).float(), 0.3, l2).numpy()
    for row in range(4):
        mine = rows == row
        V = vectors[columns[mine]]
        A = 0.3 * vectors.T @ vectors + l2[row] * np.eye(8) + (V.T * weights[mine]) @ V
        wanted: Doubles = np.linalg.solve(A, V.T @ (weights[mine] * targets[mine]))
        assert np.allclose(found[row], wanted, atol=1e-4)
    assert not found[4].any()


def test_the_same_seed_gives_the_same_bits(tiny: Dataset) -> None:
    first, again = (train_ials(tiny.ratings, QUICK, RULE) for _ in range(2))
    assert first.item_vectors.tobytes() == again.item_vectors.tobytes()


def test_an_item_without_ratings_has_a_zero_vector(tiny: Dataset) -> None:
    result = train_ials(tiny.ratings.take(tiny.ratings.items != 3), QUICK, RULE)
    assert not result.item_vectors[3].any()


@pytest.mark.parametrize("scale", [Scale(0.5, 5.0), Scale(1.0, 5.0), Scale(0.0, 10.0)])
def test_a_rating_at_the_minimum_asks_for_nothing_and_one_at_the_maximum_for_all(
    scale: Scale,
) -> None:
    rule = rule_for(scale)
    assert rule.target([scale.low])[0] <= 0.0
    assert rule.target([scale.high])[0] == 1.0
    assert rule.weight([scale.low])[0] > 0.0
    steps = rule.target(np.linspace(scale.low, scale.high, 50))
    assert (np.diff(steps) >= 0.0).all()
