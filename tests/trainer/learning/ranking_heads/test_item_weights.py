"""Item-to-item weights against their closed form, and the scores that compression keeps."""

import tracemalloc

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_trainer.learning.ranking_heads.ease import compression, item_weights
from foldin_trainer.learning.ranking_heads.ease.compression import Compressed, compress
from foldin_trainer.learning.ranking_heads.ease.item_weights import Ease
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

L2 = 3.0


def _matrix(seed: int, users: int, items: int) -> csr_array:
    rng = np.random.default_rng(seed)
    rated = rng.random((users, items)) < 0.4
    matrix = csr_array(rated * rng.uniform(0.2, 1.2, (users, items)))
    matrix.sort_indices()
    return matrix


def _dense(weights: Ease, items: int) -> Doubles:
    return weights.times(np.eye(items))


def _check_scores(found: Compressed, weights: Ease, matrix: csr_array) -> None:
    """Checks that the compressed weights give the scores of the weights."""
    scores = (matrix @ found.inputs) @ found.items.T
    assert np.allclose(scores, matrix @ _dense(weights, matrix.shape[1]), atol=1e-8)


@pytest.mark.parametrize(("users", "items"), [(7, 12), (30, 12)])
def test_the_weights_are_those_of_ease_in_either_form(users: int, items: int) -> None:
    matrix = _matrix(0, users, items)
    inverse = np.linalg.inv((matrix.T @ matrix).toarray() + L2 * np.eye(items))
    wanted = -inverse / np.diag(inverse)  # Steck (2019), equation 8
    np.fill_diagonal(wanted, 0.0)
    assert np.allclose(_dense(Ease.fit(matrix, matrix, L2), items), wanted, atol=1e-10)


@pytest.mark.parametrize(("users", "items"), [(7, 12), (30, 12)])
def test_without_relief_from_themselves_items_are_explained_by_ridge_regression(
    users: int, items: int
) -> None:
    inputs, targets = _matrix(1, users, items), _matrix(2, users, items)
    normal = (inputs.T @ inputs).toarray() + L2 * np.eye(items)
    wanted = np.linalg.solve(normal, (inputs.T @ targets).toarray())
    found = _dense(Ease.fit(inputs, targets, L2, relief=0.0), items)
    assert np.allclose(found, wanted, atol=1e-10)


@pytest.mark.parametrize("dense_share", [0.0, 1.0])
def test_the_form_in_which_columns_are_multiplied_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, dense_share: float
) -> None:
    matrix = _matrix(3, 9, 25)
    expected = _dense(Ease.fit(matrix, matrix, L2), 25)
    monkeypatch.setattr(item_weights, "COLUMNS", 4)
    monkeypatch.setattr(item_weights, "DENSE_SHARE", dense_share)
    assert np.allclose(_dense(Ease.fit(matrix, matrix, L2), 25), expected, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.sampled_from([5, 20]), st.floats(0.0, 1.0))
@settings(max_examples=30, deadline=None)
def test_the_transpose_is_that_of_the_weights(seed: int, users: int, relief: float) -> None:
    inputs = _matrix(seed, users, 9)
    targets = _matrix(seed + 1, *inputs.shape)
    weights = Ease.fit(inputs, targets, L2, relief)
    assert np.allclose(weights.transposed_times(np.eye(9)), _dense(weights, 9).T, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_compressing_to_the_full_rank_changes_no_score(seed: int) -> None:
    matrix = _matrix(seed, 12, 15)
    weights = Ease.fit(matrix, matrix, L2)
    found = compress(weights, matrix, 12)
    _check_scores(found, weights, matrix)


def test_fewer_dimensions_keep_as_much_as_possible() -> None:
    matrix = _matrix(5, 40, 60)
    weights = Ease.fit(matrix, matrix, L2)
    importance = (np.diff(matrix.tocsc().indptr) + 1.0) ** 0.25
    sizes = np.diff(matrix.indptr) ** -0.75
    wanted = sizes[:, None] * (matrix @ _dense(weights, 60)) * importance
    found = compress(weights, matrix, 10)
    kept = sizes[:, None] * ((matrix @ found.inputs) @ found.items.T) * importance
    lost = np.linalg.svd(wanted, compute_uv=False)[10:]
    assert np.linalg.norm(wanted - kept) == pytest.approx(np.linalg.norm(lost), rel=1e-6)


def test_a_sample_of_many_users_gives_the_same_directions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    tastes = _matrix(7, 6, 40)  # histories of six kinds
    matrix = csr_array(tastes[rng.integers(0, 6, 600)])
    weights = Ease.fit(matrix, matrix, L2)
    monkeypatch.setattr(compression, "MOST_USERS", 60)
    found = compress(weights, matrix, 6)
    _check_scores(found, weights, matrix)


def test_compressing_takes_no_memory_of_users_by_users() -> None:
    matrix = _matrix(6, 3_000, 30)
    weights = Ease.fit(matrix, matrix, L2)
    tracemalloc.start()
    try:
        compress(weights, matrix, 10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 3_000**2 / 4
