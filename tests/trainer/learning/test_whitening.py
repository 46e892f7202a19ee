"""The basis of the prior: changing to it changes no score and no solution."""

import numpy as np
import pytest
from foldin_model.fold_in.fold_in import fold_exact
from foldin_trainer.learning.whitening import Whitening
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(0, 20))
def test_folding_in_the_new_basis_solves_the_old_problem(seed: int, d: int, ratings: int) -> None:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(d, d))
    precision = np.asarray(half @ half.T + np.eye(d), np.float64)
    items, start = rng.normal(size=(ratings, d)), rng.normal(size=d)
    weights, targets = rng.uniform(0.0, 2.0, ratings), rng.normal(size=ratings)
    whitening = Whitening.of(precision)
    carried = whitening.items(items)
    folded = fold_exact(carried, weights, targets, whitening.users(start)).vector
    normal = precision + (items.T * weights) @ items
    right = precision @ start + items.T @ (weights * targets)
    wanted = np.asarray(np.linalg.solve(normal, right), np.float64)
    assert np.allclose(folded, whitening.users(wanted), atol=1e-6)
    assert np.allclose(carried @ folded, items @ wanted, atol=1e-6)


def test_a_precision_that_is_not_positive_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        Whitening.of(np.diag([1.0, -1.0]))
