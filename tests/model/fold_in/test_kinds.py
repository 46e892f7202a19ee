"""Serving kinds: each has a name, and a head knows its own."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.fold_in.fold_in import fold, trained_base, vector_contributions
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.fold_in.kinds import (
    ENCODER,
    ENCODER_PRIOR,
    QUADRATIC,
    SERVING_KINDS,
    ServingKind,
)
from planted import planted

NO_WEIGHT = RatingRule(knots=(0.5, 5.0), weights=(0.0, 0.0), targets=(0.5, 5.0))
WITH_ENCODER = planted(whole=True).model.ranking
HEADS = {
    QUADRATIC: planted().model.ranking,
    ENCODER: replace(WITH_ENCODER, rule=NO_WEIGHT),
    ENCODER_PRIOR: WITH_ENCODER,
}
ROWS = np.array([1, 5, 8, 60], np.int32)
VALUES = np.array([5.0, 0.5, 3.0, 4.5])


def test_every_kind_is_found_by_its_name() -> None:
    assert set(SERVING_KINDS) == {"quadratic", "encoder", "encoder_prior"}
    assert set(SERVING_KINDS.values()) == set(HEADS)


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_knows_its_kind(kind: ServingKind) -> None:
    assert HEADS[kind].kind is kind


def test_a_head_that_no_rating_can_move_is_refused() -> None:
    with pytest.raises(ValueError, match="neither an encoder nor a weight above 0"):
        replace(HEADS[QUADRATIC], rule=NO_WEIGHT)


@pytest.mark.parametrize("head", HEADS.values(), ids=[kind.name for kind in HEADS])
def test_contributions_explain_the_folded_vector_of_every_kind(head: Head) -> None:
    vector = fold(head, ROWS, VALUES, head.prior).vector
    contributions = vector_contributions(head, ROWS, VALUES, vector)
    np.testing.assert_allclose(vector, head.prior + contributions.sum(axis=0), atol=1e-9)
    assert np.abs(contributions).max() > 0


@pytest.mark.parametrize("head", HEADS.values(), ids=[kind.name for kind in HEADS])
def test_the_trained_base_gives_the_vector_back_in_every_kind(head: Head) -> None:
    vector = np.linspace(-1.0, 1.0, len(head.prior))
    base = trained_base(head, ROWS, VALUES, vector)
    np.testing.assert_allclose(fold(head, ROWS, VALUES, base).vector, vector, atol=1e-9)
