"""Folding one stored user: personalization, vectors, profiles."""

from random import Random

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in.fold_in import fold, rounded
from foldin_model.ids import ItemId
from foldin_model.personal.explanation import rating_contributions
from foldin_model.personal.user_vectors import fold_user, popular_user, query_of
from foldin_model.records.personalization import Personalization
from foldin_model.records.rating_history import History
from foldin_model.retrieval.search import search
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import pack_trained
from hypothesis import given
from hypothesis import strategies as st
from planted import planted
from snapshots import planted_snapshot, state_of

PLANTED = planted()
SNAPSHOT = planted_snapshot()
MODEL = SNAPSHOT.model
TRAINED = dict(pack_trained(PLANTED.users))
ITEMS = MODEL.catalog.item_ids

histories = st.dictionaries(
    st.sampled_from(ITEMS), st.floats(0.5, 5.0).map(lambda v: round(v, 3)), max_size=40
)


def ratings_of(rows: Rows, values: Doubles) -> dict[str, float]:
    return {ITEMS[row]: value for row, value in zip(rows, values.tolist(), strict=True)}


@pytest.mark.parametrize("snapshot", [SNAPSHOT, planted_snapshot(whole=True)])
@given(ratings=histories.filter(bool), random=st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_arrival(
    snapshot: Snapshot, ratings: dict[str, float], random: Random
) -> None:
    entries = list(ratings.items())
    random.shuffle(entries)
    one = fold_user(snapshot, state_of(ratings))
    other = fold_user(snapshot, state_of(dict(entries)))
    np.testing.assert_array_equal(one.ranking_vector, other.ranking_vector)
    np.testing.assert_array_equal(one.rating_vector, other.rating_vector)
    np.testing.assert_array_equal(one.seen, other.seen)


def test_an_unknown_user_is_popular_and_ranks_by_the_prior() -> None:
    user = fold_user(SNAPSHOT, state_of({}))
    assert user.personalization is Personalization.POPULAR
    assert (user.rating_count, len(user.seen)) == (0, 0)
    np.testing.assert_array_equal(query_of(SNAPSHOT, user), SNAPSHOT.popular_query)
    np.testing.assert_array_equal(popular_user(SNAPSHOT).ranking_vector, user.ranking_vector)


def test_the_first_rating_folds_a_new_user_in() -> None:
    user = fold_user(SNAPSHOT, state_of({ITEMS[3]: 5.0}))
    assert user.personalization is Personalization.FOLDED_IN
    expected = fold(MODEL.ranking, np.array([3], np.int32), np.array([5.0]), MODEL.ranking_prior)
    np.testing.assert_array_equal(user.ranking_vector, rounded(expected.vector))
    assert user.seen.tolist() == [3]
    assert (user.version, user.revision) == ("planted", 7)


def test_ratings_of_items_that_the_model_lacks_count_and_change_nothing() -> None:
    alone = fold_user(SNAPSHOT, state_of({ITEMS[3]: 5.0}))
    more = fold_user(SNAPSHOT, state_of({"unheard-of": 1.0, ITEMS[3]: 5.0}))
    assert (alone.rating_count, more.rating_count) == (1, 2)
    np.testing.assert_array_equal(more.ranking_vector, alone.ranking_vector)
    only = fold_user(SNAPSHOT, state_of({"unheard-of": 1.0}))
    assert only.personalization is Personalization.POPULAR
    assert only.rating_count == 1


def test_the_training_history_gives_the_trained_vectors_as_they_are() -> None:
    for index, (user_id, history) in enumerate(PLANTED.histories.items()):
        state = state_of(ratings_of(*history), trained=TRAINED[user_id])
        user = fold_user(SNAPSHOT, state)
        assert user.personalization is Personalization.TRAINED
        np.testing.assert_array_equal(user.ranking_vector, PLANTED.users.ranking_vectors[index])
        np.testing.assert_array_equal(user.rating_vector, PLANTED.users.rating_vectors[index])


def test_a_rating_more_and_its_deletion_return_the_trained_vectors() -> None:
    user_id, history = next(iter(PLANTED.histories.items()))
    before = ratings_of(*history)
    new = next(item for item in ITEMS if item not in before)
    after = fold_user(SNAPSHOT, state_of(before | {new: 5.0}, trained=TRAINED[user_id]))
    assert after.personalization is Personalization.FOLDED_IN
    assert not np.allclose(after.ranking_vector, PLANTED.users.ranking_vectors[0])
    undone = fold_user(SNAPSHOT, state_of(before, trained=TRAINED[user_id]))
    np.testing.assert_array_equal(undone.ranking_vector, PLANTED.users.ranking_vectors[0])


def test_a_changed_value_is_folded_over_the_trained_base() -> None:
    user_id, (rows, values) = next(iter(PLANTED.histories.items()))
    changed = values.copy()
    changed[0] = 0.5 if values[0] > 2 else 5.0
    user = fold_user(SNAPSHOT, state_of(ratings_of(rows, changed), trained=TRAINED[user_id]))
    base = PLANTED.users.ranking_bases[0].astype(np.float64)
    expected = fold(MODEL.ranking, rows, changed, base).vector
    np.testing.assert_array_equal(user.ranking_vector, rounded(expected))


def test_a_trained_user_who_deleted_everything_gets_the_trained_base() -> None:
    user_id = next(iter(PLANTED.histories))
    user = fold_user(SNAPSHOT, state_of({}, trained=TRAINED[user_id]))
    assert user.personalization is Personalization.FOLDED_IN
    np.testing.assert_array_equal(user.ranking_vector, PLANTED.users.ranking_bases[0])


@given(histories, histories.filter(bool))
def test_a_profile_counts_as_if_it_were_stored(
    stored: dict[str, float], profile: dict[str, float]
) -> None:
    extra = [(ItemId(item), value) for item, value in profile.items()]
    user = fold_user(SNAPSHOT, state_of(stored), extra)
    merged = fold_user(SNAPSHOT, state_of(stored | profile))
    np.testing.assert_array_equal(user.ranking_vector, merged.ranking_vector)
    np.testing.assert_array_equal(user.seen, merged.seen)
    assert user.rating_count == merged.rating_count == len(stored | profile)


def test_a_kept_folded_user_is_used_unchanged() -> None:
    fresh = fold_user(SNAPSHOT, state_of({ITEMS[3]: 5.0, ITEMS[9]: 1.0}))
    kept = fold_user(SNAPSHOT, StoredUser(revision=7, folded=fresh.pack()))
    np.testing.assert_array_equal(kept.ranking_vector, fresh.ranking_vector)
    np.testing.assert_array_equal(kept.rating_vector, fresh.rating_vector)
    np.testing.assert_array_equal(kept.seen, fresh.seen)
    assert kept.personalization is fresh.personalization


def test_a_profile_needs_the_history() -> None:
    kept = fold_user(SNAPSHOT, StoredUser(1, history=History.empty())).pack()
    with pytest.raises(ValueError, match="history=True"):
        fold_user(SNAPSHOT, StoredUser(1, folded=kept), [(ItemId(ITEMS[0]), 5.0)])


@pytest.mark.parametrize("snapshot", [SNAPSHOT, planted_snapshot(whole=True)])
@given(ratings=histories.filter(bool))
def test_a_vector_is_the_prior_plus_the_contributions_of_the_ratings(
    snapshot: Snapshot, ratings: dict[str, float]
) -> None:
    user = fold_user(snapshot, state_of(ratings))
    contributions = rating_contributions(snapshot, user, state_of(ratings))
    for start, moved, vector in (
        (snapshot.model.ranking_prior, contributions.ranking, user.ranking_vector),
        (snapshot.model.rating_prior, contributions.rating, user.rating_vector),
    ):
        np.testing.assert_allclose(vector, start + moved.sum(axis=0), rtol=1e-4, atol=1e-4)


def test_the_worst_rating_lowers_the_films_neighbors_below_the_best_rating() -> None:
    """Over all users and films of the planted model, as served."""
    lower = total = 0
    for user_id, history in list(PLANTED.histories.items())[:10]:
        stored = ratings_of(*history)
        for row in range(0, len(ITEMS), 7):
            ranks = []
            likeness = MODEL.similarity @ MODEL.similarity[row]
            likeness[row] = -np.inf
            nearest = np.argsort(-likeness)[:10]
            for value in (0.5, 5.0):
                state = state_of(stored | {ITEMS[row]: value}, trained=TRAINED[user_id])
                query = query_of(SNAPSHOT, fold_user(SNAPSHOT, state))
                order = search(SNAPSHOT, query, None, len(ITEMS)).rows
                ranks.append(np.argsort(order)[nearest].mean())
            total += 1
            lower += ranks[0] > ranks[1]
    assert lower >= 0.95 * total
