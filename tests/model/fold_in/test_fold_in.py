"""Folding a history: invariants of every solver, with the normal equations as the oracle."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import (
    LONG,
    SMALL,
    FoldedVector,
    fold,
    fold_exact,
    fold_exact_batch,
    fold_in_steps,
    rounded,
    slack_coefficients,
    trained_base,
)
from hypothesis import given
from hypothesis import strategies as st
from planted import Planted


@dataclass(frozen=True)
class Problem:
    vectors: Doubles
    weights: Doubles
    targets: Doubles
    base: Doubles

    @property
    def normal(self) -> Doubles:
        d = self.vectors.shape[1]
        return np.eye(d) + (self.vectors * self.weights[:, None]).T @ self.vectors

    @property
    def right(self) -> Doubles:
        return self.base + (self.weights * self.targets) @ self.vectors

    def energy(self, z: Doubles) -> float:
        return float(0.5 * z @ self.normal @ z - self.right @ z)

    def exact(self) -> FoldedVector:
        return fold_exact(self.vectors, self.weights, self.targets, self.base)

    def steps(self, steps: int) -> FoldedVector:
        return fold_in_steps(self.vectors, self.weights, self.targets, self.base, steps)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Histories shorter and longer than the dimension."""
    d, n = draw(st.integers(1, 12)), draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.floats(0.01, 2.0))
    return Problem(
        size * rng.normal(size=(n, d)),
        rng.uniform(0.0, 3.0, n),
        rng.normal(size=n),
        rng.normal(size=d),
    )


@given(problems())
def test_the_exact_vector_solves_the_normal_equations(problem: Problem) -> None:
    expected = np.linalg.solve(problem.normal, problem.right)
    np.testing.assert_allclose(problem.exact().vector, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("d", [1, 7, SMALL, SMALL + 1, 70])
@given(lengths=st.lists(st.integers(0, 90), min_size=1, max_size=5), seed=st.integers(0, 2**32 - 1))
def test_each_of_many_histories_has_the_exact_vector(d: int, lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    vectors = rng.normal(size=(starts[-1], d)).astype(np.float32)
    weights, targets = rng.uniform(0.0, 3.0, starts[-1]), rng.normal(size=starts[-1])
    bases = rng.normal(size=(len(lengths), d))
    solved = fold_exact_batch(vectors, weights, targets, starts, bases)
    for place, (start, end) in enumerate(pairwise(starts)):
        own = vectors[start:end], weights[start:end], targets[start:end]
        alone = fold_exact_batch(*own, np.array([0, end - start]), bases[place : place + 1])
        np.testing.assert_array_equal(solved[place], alone[0])
        exact = fold_exact(own[0].astype(np.float64), *own[1:], bases[place]).vector
        np.testing.assert_allclose(solved[place], exact, rtol=1e-8, atol=1e-8)


@given(problems())
def test_the_gradient_vanishes_at_the_exact_vector(problem: Problem) -> None:
    gradient = problem.normal @ problem.exact().vector - problem.right
    assert np.abs(gradient).max() <= 1e-9 * max(1.0, np.abs(problem.right).max())


@given(problems(), st.integers(0, 6))
def test_a_vector_is_its_base_plus_its_coefficients_times_the_items(
    problem: Problem, steps: int
) -> None:
    for folded in (problem.exact(), problem.steps(steps)):
        rebuilt = problem.base + folded.coefficients @ problem.vectors
        np.testing.assert_allclose(folded.vector, rebuilt, rtol=1e-8, atol=1e-8)


@given(problems())
def test_every_step_lowers_the_objective(problem: Problem) -> None:
    energies = [problem.energy(problem.steps(steps).vector) for steps in range(6)]
    tolerance = 1e-9 * max(1.0, *map(abs, energies))
    assert all(later <= earlier + tolerance for earlier, later in pairwise(energies))
    assert energies[-1] >= problem.energy(problem.exact().vector) - tolerance


@given(problems())
def test_as_many_steps_as_dimensions_reach_the_exact_vector(problem: Problem) -> None:
    stepped = problem.steps(3 * problem.vectors.shape[1])
    np.testing.assert_allclose(stepped.vector, problem.exact().vector, rtol=1e-5, atol=1e-6)


@given(problems(), st.integers(0, 2**32 - 1))
def test_the_order_of_the_ratings_does_not_matter(problem: Problem, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(problem.vectors))
    shuffled = fold_exact(
        problem.vectors[order], problem.weights[order], problem.targets[order], problem.base
    )
    np.testing.assert_allclose(shuffled.vector, problem.exact().vector, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(
        shuffled.coefficients, problem.exact().coefficients[order], rtol=1e-6, atol=1e-8
    )


def test_an_empty_history_returns_the_base() -> None:
    base = np.array([1.0, -2.0])
    for folded in (
        fold_exact(np.zeros((0, 2)), np.zeros(0), np.zeros(0), base),
        fold_in_steps(np.zeros((0, 2)), np.zeros(0), np.zeros(0), base, 3),
    ):
        np.testing.assert_array_equal(folded.vector, base)
        assert folded.coefficients.shape == (0,)


@pytest.mark.parametrize("name", ["ranking", "rating"])
def test_folding_the_training_history_returns_the_trained_vector(small: Planted, name: str) -> None:
    head = getattr(small.model, name)
    vectors = getattr(small.users, f"{name}_vectors")
    bases = getattr(small.users, f"{name}_bases")
    for user, (rows, values) in enumerate(small.histories.values()):
        folded = fold(head, rows, values, bases[user].astype(np.float64))
        np.testing.assert_allclose(folded.vector, vectors[user], rtol=1e-5, atol=1e-5)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_deletion_undoes_its_rating(small: Planted, seed: int) -> None:
    rng = np.random.default_rng(seed)
    user = int(rng.integers(len(small.histories)))
    rows, values = list(small.histories.values())[user]
    head = small.model.ranking
    vector = small.users.ranking_vectors[user].astype(np.float64)
    base = trained_base(head, rows, values, vector)
    kept = rng.permutation(len(rows)) != 0
    without = fold(head, rows[kept], values[kept], base).vector
    assert not np.allclose(without, vector)
    again = fold(head, rows, values, base).vector
    np.testing.assert_allclose(again, vector, rtol=1e-9, atol=1e-9)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60))
def test_coefficients_can_be_read_off_a_folded_vector(small: Planted, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(small.model.catalog), n, replace=False)).astype(np.int32)
    values = rng.uniform(0.5, 5.0, n)
    for head in (small.model.ranking, small.model.rating):
        folded = fold(head, rows, values, head.prior)
        read = slack_coefficients(head, rows, values, folded.vector)
        np.testing.assert_allclose(read, folded.coefficients, rtol=1e-6, atol=1e-8)


def test_a_better_rating_raises_the_predicted_rating_of_the_item(small: Planted) -> None:
    head = small.model.rating
    for row in range(20):
        rows = np.array([row], np.int32)
        scores = [
            float(head.score(rows, fold(head, rows, np.array([value]), head.prior).vector)[0])
            for value in (0.5, 2.0, 5.0)
        ]
        assert scores == sorted(scores)


def test_long_histories_are_folded_exactly_whatever_the_steps(small: Planted) -> None:
    head = small.model.ranking
    rows = np.arange(LONG * head.vectors.shape[1] + 1, dtype=np.int32)
    values = np.linspace(0.5, 5.0, len(rows))
    for n, same in ((len(rows), True), (len(rows) - 1, False)):
        exact = fold(head, rows[:n], values[:n], head.prior).vector
        stepped = fold(head, rows[:n], values[:n], head.prior, steps=3).vector
        assert np.array_equal(stepped, exact) is same


@pytest.mark.parametrize("n", [1, 2, 5, 10, 20, 50, 200, 256])
def test_three_steps_find_nine_of_the_ten_best_items(n: int) -> None:
    """On items whose weighted second moment falls off as that of a trained ranking head does."""
    rng = np.random.default_rng(n)
    spectrum = 0.001 / np.arange(1, 65) ** 0.7
    items = rng.normal(size=(2_000, 64)) * np.sqrt(spectrum) + np.sqrt(spectrum) * rng.normal(
        size=64
    )
    prior = 0.3 * rng.normal(size=64)
    shared = []
    for _ in range(20):
        rows = rng.choice(len(items), n, replace=False)
        weights = rng.uniform(1.0, 10.0, n)
        problem = Problem(items[rows], weights, 1.0 + 1.0 / weights, prior)
        exact, steps = (
            set(np.argsort(-(items @ folded.vector))[:10].tolist())
            for folded in (problem.exact(), problem.steps(3))
        )
        shared.append(len(exact & steps) / 10)
    assert np.mean(shared) >= 0.9


def test_rounded_vectors_are_those_of_float32() -> None:
    vector = np.array([0.1, 1.0 / 3.0, -7.0])
    kept = rounded(vector)
    assert kept.dtype == np.float64
    np.testing.assert_array_equal(kept, vector.astype(np.float32))
    np.testing.assert_array_equal(rounded(kept), kept)
