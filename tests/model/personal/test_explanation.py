"""Explanations: base, reasons and the rest add up to the score."""

import numpy as np
import pytest
from foldin_model.fold_in.fold_in import slack_coefficients
from foldin_model.ids import Row
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.personal.explanation import Explanation, explain, rating_contributions
from foldin_model.personal.user_vectors import fold_user, query_of
from foldin_model.records.folded_users import FoldedUser
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import pack_trained
from hypothesis import given
from hypothesis import strategies as st
from planted import planted
from snapshots import planted_snapshot, state_of

PLANTED = planted()
SNAPSHOT = planted_snapshot()
WHOLE = planted_snapshot(whole=True)
TRAINED = list(dict(pack_trained(PLANTED.users)).values())
ITEMS = SNAPSHOT.model.catalog.item_ids
EVERYTHING = np.arange(len(ITEMS), dtype=np.int32)

histories = st.dictionaries(st.sampled_from(ITEMS), st.floats(0.5, 5.0), max_size=60)
trained = st.none() | st.sampled_from(TRAINED)
reasons = st.integers(0, 50)


def adds_up(
    user: FoldedUser, explanations: tuple[Explanation, ...], snapshot: Snapshot = SNAPSHOT
) -> None:
    scores = canonical_scores(snapshot.model.items, EVERYTHING, query_of(snapshot, user))
    for score, one in zip(scores, explanations, strict=True):
        total = one.base + sum(part for _, part in one.reasons) + one.other
        assert abs(total - score) <= 1e-4 * max(1.0, abs(score))


@pytest.mark.parametrize("snapshot", [SNAPSHOT, WHOLE])
@given(ratings=histories, packed=trained, max_reasons=reasons)
def test_base_reasons_and_the_rest_make_up_the_score(
    snapshot: Snapshot, ratings: dict[str, float], packed: bytes | None, max_reasons: int
) -> None:
    state = state_of(ratings, trained=packed)
    user = fold_user(snapshot, state)
    contributions = rating_contributions(snapshot, user, state)
    adds_up(user, explain(snapshot, user, contributions, EVERYTHING, max_reasons), snapshot)


@given(histories.filter(bool))
def test_a_contribution_is_the_encoder_part_and_the_solved_part(
    ratings: dict[str, float],
) -> None:
    model = WHOLE.model
    user = fold_user(WHOLE, state_of(ratings))
    contributions = rating_contributions(WHOLE, user, state_of(ratings))
    explanations = explain(WHOLE, user, contributions, EVERYTHING, len(ratings))
    expected = np.zeros((len(EVERYTHING), len(ratings)))
    for head, share, vector in (
        (model.ranking, 1.0, user.ranking_vector),
        (model.rating, model.rating_weight, user.rating_vector),
    ):
        rows, values = contributions.rows, contributions.values
        assert head.encoder is not None
        encoded = head.encoder.shares(values)[:, None] * head.encoder.vectors[rows]
        solved = slack_coefficients(head, rows, values, vector)[:, None] * head.vectors[rows]
        expected += share * head.vectors @ (encoded + solved).T
    for one, parts in zip(explanations, expected, strict=True):
        found = dict(one.reasons)
        np.testing.assert_allclose(
            [found[Row(row)] for row in contributions.rows.tolist()], parts, rtol=1e-6, atol=1e-6
        )


def test_a_trained_user_is_explained_by_the_training_history() -> None:
    for packed, (rows, values) in zip(TRAINED, PLANTED.histories.values(), strict=True):
        pairs = zip(rows.tolist(), values.tolist(), strict=True)
        state = state_of({ITEMS[row]: value for row, value in pairs}, trained=packed)
        user = fold_user(SNAPSHOT, state)
        contributions = rating_contributions(SNAPSHOT, user, state)
        adds_up(user, explain(SNAPSHOT, user, contributions, EVERYTHING, 5))


@given(histories, histories)
def test_a_continued_list_is_explained_by_the_present_ratings(
    then: dict[str, float], now: dict[str, float]
) -> None:
    user = fold_user(SNAPSHOT, state_of(then))
    contributions = rating_contributions(SNAPSHOT, user, state_of(now))
    adds_up(user, explain(SNAPSHOT, user, contributions, EVERYTHING, 5))


@given(histories, reasons)
def test_reasons_come_by_weight(ratings: dict[str, float], max_reasons: int) -> None:
    user = fold_user(SNAPSHOT, state_of(ratings))
    contributions = rating_contributions(SNAPSHOT, user, state_of(ratings))
    full = explain(SNAPSHOT, user, contributions, EVERYTHING[:10], len(ratings))
    some = explain(SNAPSHOT, user, contributions, EVERYTHING[:10], max_reasons)
    for one, every in zip(some, full, strict=True):
        sizes = [abs(part) for _, part in every.reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert one.reasons == every.reasons[:max_reasons]
        assert {row for row, _ in every.reasons} == set(contributions.rows.tolist())


def test_the_best_rating_of_a_film_contributes_to_its_own_score() -> None:
    user = fold_user(SNAPSHOT, state_of({ITEMS[8]: 5.0}))
    contributions = rating_contributions(SNAPSHOT, user, state_of({ITEMS[8]: 5.0}))
    ((row, part),) = explain(SNAPSHOT, user, contributions, EVERYTHING[8:9], 5)[0].reasons
    assert row == 8
    assert part > 0
