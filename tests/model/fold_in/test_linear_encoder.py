"""Linear encoders: what they add to a head, and that folding keeps its invariants."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in import fold_in
from foldin_model.fold_in.fold_in import fold, fold_exact, trained_base, vector_contributions
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from hypothesis import given
from hypothesis import strategies as st
from planted import ENCODER_RULE, planted

PLANTED = planted(whole=True)
MODEL = PLANTED.model
HEADS = [MODEL.ranking, MODEL.rating]
NO_WEIGHT = RatingRule(knots=(0.5, 5.0), weights=(0.0, 0.0), targets=(0.5, 5.0))
seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(0, 60)


def encoder_of(head: Head) -> LinearEncoder:
    assert head.encoder is not None
    return head.encoder


def history(seed: int, n: int) -> tuple[Rows, Doubles]:
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(MODEL.catalog), n, replace=False)).astype(np.int32)
    return rows, rng.uniform(0.5, 5.0, n)


def no_solve(*_: object) -> None:
    raise AssertionError("a system was solved")


def test_factors_are_linear_between_knots_and_constant_outside() -> None:
    factors = ENCODER_RULE.factor([0.0, 0.5, 1.5, 2.5, 3.75, 5.0, 9.0])
    np.testing.assert_allclose(factors, [-0.5, -0.5, -0.125, 0.25, 0.625, 1.0, 1.0])


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
@given(seed=seeds, n=st.integers(1, 60))
def test_an_encoded_history_is_the_weighted_sum_of_the_rated_items(
    exponent: float, seed: int, n: int
) -> None:
    encoder = LinearEncoder(encoder_of(MODEL.ranking).vectors, ENCODER_RULE, exponent)
    rows, values = history(seed, n)
    expected = sum(
        (n**-exponent * ENCODER_RULE.factor(value) * encoder.vectors[row].astype(np.float64))
        for row, value in zip(rows, values, strict=True)
    )
    np.testing.assert_allclose(encoder.encode(rows, values), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("head", HEADS)
def test_without_ratings_there_is_the_prior_and_nothing_else(head: Head) -> None:
    rows, values = history(0, 0)
    assert not encoder_of(head).encode(rows, values).any()
    np.testing.assert_array_equal(fold(head, rows, values, head.prior).vector, head.prior)


@pytest.mark.parametrize("head", HEADS)
@given(seed=seeds, n=lengths)
def test_the_vector_solves_the_normal_equations_with_the_encoder_added(
    head: Head, seed: int, n: int
) -> None:
    rows, values = history(seed, n)
    vectors = head.vectors[rows].astype(np.float64)
    weights = head.rule.weight(values)
    normal = np.eye(vectors.shape[1]) + (vectors * weights[:, None]).T @ vectors
    start = head.prior + encoder_of(head).encode(rows, values)
    right = start + (weights * head.targets(rows, values)) @ vectors
    expected = np.linalg.solve(normal, right)
    np.testing.assert_allclose(
        fold(head, rows, values, head.prior).vector, expected, rtol=1e-7, atol=1e-8
    )


@pytest.mark.parametrize("head", [*HEADS, replace(MODEL.ranking, rule=NO_WEIGHT)])
@given(seed=seeds, n=lengths)
def test_folding_the_training_history_returns_the_trained_vector(
    head: Head, seed: int, n: int
) -> None:
    rows, values = history(seed, n)
    vector = np.random.default_rng(seed).normal(size=len(head.prior))
    base = trained_base(head, rows, values, vector)
    np.testing.assert_allclose(fold(head, rows, values, base).vector, vector, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("head", [*HEADS, replace(MODEL.ranking, rule=NO_WEIGHT)])
@given(seed=seeds, n=lengths)
def test_a_vector_is_its_base_plus_the_contributions_of_the_ratings(
    head: Head, seed: int, n: int
) -> None:
    rows, values = history(seed, n)
    folded = fold(head, rows, values, head.prior)
    moved = vector_contributions(head, rows, values, folded.vector)
    assert moved.shape == (n, len(head.prior))
    np.testing.assert_allclose(folded.vector, head.prior + moved.sum(axis=0), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("head", HEADS)
@given(seed=seeds, n=lengths)
def test_the_order_of_the_ratings_does_not_matter(head: Head, seed: int, n: int) -> None:
    rows, values = history(seed, n)
    order = np.random.default_rng(seed).permutation(n)
    np.testing.assert_allclose(
        fold(head, rows[order], values[order], head.prior).vector,
        fold(head, rows, values, head.prior).vector,
        rtol=1e-8,
        atol=1e-8,
    )


@pytest.mark.parametrize("head", [replace(head, rule=NO_WEIGHT) for head in HEADS])
def test_without_weights_only_the_encoder_counts_and_nothing_is_solved(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, values = history(3, 25)
    vectors, weights = head.vectors[rows].astype(np.float64), head.weights(values)
    start = head.prior + encoder_of(head).encode(rows, values)
    solved = fold_exact(vectors, weights, head.targets(rows, values), start)
    for name in ("fold_exact", "fold_in_steps"):
        monkeypatch.setattr(fold_in, name, no_solve)
    for steps in (None, 3):
        folded = fold(head, rows, values, head.prior, steps=steps)
        np.testing.assert_array_equal(folded.vector, start)
        np.testing.assert_array_equal(folded.coefficients, np.zeros(25))
    np.testing.assert_allclose(solved.vector, start, rtol=1e-12)


def test_reordering_a_model_moves_all_that_belongs_to_an_item() -> None:
    order = np.random.default_rng(0).permutation(len(MODEL.catalog))
    moved = MODEL.reordered(order)
    places = np.argsort(order)
    rows, values = history(1, 20)
    for before, after in ((MODEL.ranking, moved.ranking), (MODEL.rating, moved.rating)):
        np.testing.assert_allclose(
            fold(after, places[rows].astype(np.int32), values, after.prior).vector,
            fold(before, rows, values, before.prior).vector,
        )
    assert moved.content is MODEL.content
    np.testing.assert_array_equal(moved.item_rows, MODEL.item_rows[order])


def test_item_rows_are_joined_and_split() -> None:
    parts = MODEL.split(MODEL.item_rows)
    np.testing.assert_array_equal(parts.items, MODEL.items)
    np.testing.assert_array_equal(parts.ranking_encoder, encoder_of(MODEL.ranking).vectors)
    np.testing.assert_array_equal(parts.rating_encoder, encoder_of(MODEL.rating).vectors)
    np.testing.assert_array_equal(parts.similarity, MODEL.similarity)
    bare = planted().model
    assert bare.split(bare.item_rows).ranking_encoder.shape == (120, 0)
    with pytest.raises(ValueError, match="wide"):
        bare.split(MODEL.item_rows)


def test_factors_may_be_constant() -> None:
    rule = EncoderRule((3.0,), (1.0,))
    np.testing.assert_array_equal(rule.factor([0.5, 3.0, 5.0]), np.ones(3))
