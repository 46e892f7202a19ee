"""Implicit ALS against a matrix with a known answer and against its own objective."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Floats
from foldin_model.fold_in.head import RatingRule
from foldin_model.scale import Scale
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.ranking_heads.ials import conjugate_gradient
from foldin_trainer.learning.ranking_heads.ials.conjugate_gradient import approach_side
from foldin_trainer.learning.ranking_heads.ials.half_step import Side, solve_side
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsResult, IalsSettings, train_ials
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch import Tensor, device, tensor

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


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads_for(0):
        yield


Problem = tuple[Side, Doubles, Floats]


def problem(seed: int, *, dimension: int) -> Problem:
    """30 rows with 0 to 60 observations of 80 columns, the columns' vectors, and the rows' L2."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 60, 30)
    counts[0] = 0
    rows = np.repeat(np.arange(30, dtype=np.int32), counts)
    columns = np.concatenate([rng.permutation(80)[:count] for count in counts]).astype(np.int32)
    weights, targets = rng.uniform(0.0, 3.0, len(rows)), rng.normal(size=len(rows))
    side = Side.gather(rows, columns, weights, targets, size=30, device=CPU)
    l2 = rng.uniform(0.5, 3.0, 30).astype(np.float32)
    return side, rng.normal(size=(80, dimension)) / np.sqrt(dimension), l2


def losses(side: Side, vectors: Doubles, weight: float, l2: Floats, found: Tensor) -> Doubles:
    """The objective of every row in float64."""
    x = found.numpy().astype(np.float64)
    rows = np.repeat(np.arange(len(l2)), side.counts)
    scores = (x[rows] * vectors[side.columns.numpy()]).sum(axis=1)
    misses = side.weights.numpy() * (side.targets.numpy() - scores) ** 2
    squares = weight * ((x @ vectors.T) ** 2).sum(axis=1) + l2 * (x**2).sum(axis=1)
    return np.asarray(np.bincount(rows, misses, len(l2)) + squares, np.float64)


@pytest.mark.parametrize("budget", [4_000_000, 200])
def test_enough_steps_are_the_exact_half_step(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conjugate_gradient, "BUDGET", budget)
    side, vectors, l2 = problem(0, dimension=12)
    columns = tensor(vectors).float()
    exact = solve_side(side, columns, 0.3, l2)
    start = tensor(np.random.default_rng(1).normal(size=(30, 12))).float()
    found = approach_side(side, columns, 0.3, l2, start=start, steps=20)
    assert np.allclose(found.numpy(), exact.numpy(), atol=1e-4)
    assert not found[0].any()


@examples(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    weight=st.floats(0.01, 2.0),
    steps=st.integers(1, 4),
    dimension=st.sampled_from([1, 3, 16]),
)
def test_no_step_and_no_exact_half_step_raises_the_objective(
    seed: int, weight: float, steps: int, dimension: int
) -> None:
    side, vectors, l2 = problem(seed, dimension=dimension)
    columns = tensor(vectors).float()
    start = tensor(np.random.default_rng(seed).normal(size=(30, dimension))).float()
    start *= tensor(side.counts > 0)[:, None]
    before = losses(side, vectors, weight, l2, start)
    some = losses(
        side,
        vectors,
        weight,
        l2,
        approach_side(side, columns, weight, l2, start=start, steps=steps),
    )
    exact = losses(side, vectors, weight, l2, solve_side(side, columns, weight, l2))
    slack = 1e-4 * (1.0 + before)
    assert (some <= before + slack).all()
    assert (exact <= some + slack).all()


@pytest.mark.parametrize("dimension", [6, 256])
def test_one_step_a_half_sweep_ends_where_exact_half_sweeps_end(
    tiny: Dataset, dimension: int
) -> None:
    settings = replace(QUICK, dimension=dimension, iterations=4, item_l2_exponent=0.0)
    exact = train_ials(tiny.ratings, replace(settings, steps=None), RULE)
    found = train_ials(tiny.ratings, replace(settings, steps=1), RULE)
    wanted = objective(tiny.ratings, exact, settings)
    assert objective(tiny.ratings, found, settings) == pytest.approx(wanted, rel=0.01)


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
