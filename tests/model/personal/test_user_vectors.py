"""Folding many users at once: each to the last bit as if folded alone."""

from itertools import pairwise

import numpy as np
import pytest
from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.batch_fold_in import Histories, fold_batch
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head
from foldin_model.ids import ItemId
from foldin_model.personal.user_vectors import FoldOutcome, fold_user, fold_users
from foldin_model.records.folded_users import FoldedUser
from foldin_model.row_lists import RowLists
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import pack_trained
from hypothesis import given
from hypothesis import strategies as st
from planted import planted
from snapshots import planted_snapshot, state_of

SNAPSHOTS = [planted_snapshot(), planted_snapshot(whole=True)]
MODELS = [snapshot.model for snapshot in SNAPSHOTS]
HEADS = [head for model in MODELS for head in (model.ranking, model.rating)]
IDS = (*MODELS[0].catalog.item_ids, ItemId("unheard-of"))
TRAINED = list(dict(pack_trained(planted().users)).values())

ratings = st.dictionaries(st.sampled_from(IDS), st.floats(0.5, 5.0), max_size=60)
fresh = st.builds(
    lambda given, trained: state_of(given, trained=trained),
    ratings,
    st.none() | st.sampled_from(TRAINED),
)
kept = fresh.map(lambda state: StoredUser(7, folded=packed(SNAPSHOTS[0], state)))


def packed(snapshot: Snapshot, state: StoredUser) -> bytes:
    return fold_user(snapshot, state).pack()


def users_of(folding: FoldOutcome) -> list[FoldedUser]:
    """All of them, in the order of their states."""
    assert folding.users is not None
    assert not folding.failures
    by_place = {place: folding.users.user(i) for i, place in enumerate(folding.places)}
    return [by_place[place] for place in range(len(by_place))]


def assert_same(one: FoldedUser, other: FoldedUser) -> None:
    assert one.personalization is other.personalization
    assert (one.revision, one.rating_count) == (other.revision, other.rating_count)
    assert one.lasting is other.lasting
    np.testing.assert_array_equal(one.ranking_vector, other.ranking_vector)
    np.testing.assert_array_equal(one.rating_vector, other.rating_vector)
    np.testing.assert_array_equal(one.seen, other.seen)


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
@given(states=st.lists(fresh | kept, min_size=1, max_size=8))
def test_a_user_is_folded_with_others_as_alone(
    snapshot: Snapshot, states: list[StoredUser]
) -> None:
    together = users_of(fold_users(snapshot, states))
    for one, state in zip(together, states, strict=True):
        assert_same(one, fold_user(snapshot, state))


@given(states=st.lists(st.tuples(fresh, ratings), min_size=1, max_size=5))
def test_each_user_has_their_own_profile(
    states: list[tuple[StoredUser, dict[ItemId, float]]],
) -> None:
    extras = [tuple(extra.items()) for _, extra in states]
    together = users_of(fold_users(SNAPSHOTS[0], [state for state, _ in states], extras))
    for one, (state, _), extra in zip(together, states, extras, strict=True):
        assert_same(one, fold_user(SNAPSHOTS[0], state, extra))


@pytest.mark.parametrize("damaged", [StoredUser(7, folded=b"?"), state_of({}, trained=b"?")])
def test_a_damaged_record_fails_its_user_alone(damaged: StoredUser) -> None:
    sound = state_of({"101": 4.0})
    folding = fold_users(SNAPSHOTS[0], [sound, damaged, sound])
    assert folding.places == [0, 2]
    assert [(place, type(error)) for place, error in folding.failures.items()] == [
        (1, ArtifactCorrupt)
    ]
    alone = fold_user(SNAPSHOTS[0], sound)
    for one in users_of(FoldOutcome(folding.users, [0, 1], {})):
        assert_same(one, alone)


def test_with_every_record_damaged_no_user_is_folded() -> None:
    folding = fold_users(SNAPSHOTS[0], [StoredUser(7, folded=b"?"), state_of({}, trained=b"?")])
    assert folding.users is None
    assert sorted(folding.failures) == [0, 1]


@pytest.mark.parametrize("head", HEADS)
@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=8), seed=st.integers(0, 2**32 - 1))
def test_vectors_folded_together_are_those_folded_alone(
    head: Head, sizes: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.choice(120, size, replace=False)).astype(np.int32) for size in sizes]
    values = rng.uniform(0.5, 5.0, sum(sizes))
    rated = RowLists.of(rows)
    bases = rng.normal(size=(len(sizes), len(head.prior)))
    together = fold_batch(head, Histories(rated, values), bases)
    for own, (start, end), base, vector in zip(
        rows, pairwise(rated.starts), bases, together, strict=True
    ):
        alone = fold(head, own, values[start:end], base).vector
        np.testing.assert_array_equal(vector.astype(np.float32), alone.astype(np.float32))


def test_a_part_of_histories_keeps_their_order() -> None:
    rated = RowLists.of([np.array(rows, np.int32) for rows in ([0, 1], [], [2, 3, 4], [5])])
    histories = Histories(rated, np.arange(6) / 2)
    some = histories.only([0, 1, 3])
    assert [rows.tolist() for rows, _ in map(some.__getitem__, range(3))] == [[0, 1], [], [5]]
    assert histories.only([0, 1, 2, 3]) is histories
