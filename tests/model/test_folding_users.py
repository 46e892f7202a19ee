"""Folding many users at once: each as if she were alone, to the last bit."""

from itertools import pairwise

import numpy as np
import pytest
from foldin_model.errors import ArtifactCorrupt
from foldin_model.folding import fold
from foldin_model.folding_together import Histories, fold_together
from foldin_model.folding_users import fold_users
from foldin_model.heads import QuadraticHead
from foldin_model.ids import ItemId
from foldin_model.personalizing import fold_user
from foldin_model.snapshot import Snapshot
from foldin_model.store.protocols import UserState
from foldin_model.users import FoldedUser, pack_trained
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
kept = fresh.map(lambda state: UserState(7, folded=packed(SNAPSHOTS[0], state)))


def packed(snapshot: Snapshot, state: UserState) -> bytes:
    return fold_user(snapshot, state).pack()


def assert_same(one: FoldedUser | ArtifactCorrupt, other: FoldedUser) -> None:
    assert isinstance(one, FoldedUser)
    assert one.personalization is other.personalization
    assert (one.revision, one.rating_count) == (other.revision, other.rating_count)
    assert one.lasting is other.lasting
    np.testing.assert_array_equal(one.ranking_vector, other.ranking_vector)
    np.testing.assert_array_equal(one.rating_vector, other.rating_vector)
    np.testing.assert_array_equal(one.seen, other.seen)


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
@given(states=st.lists(fresh | kept, min_size=1, max_size=8))
def test_in_company_a_user_is_who_she_is_alone(snapshot: Snapshot, states: list[UserState]) -> None:
    for one, state in zip(fold_users(snapshot, states), states, strict=True):
        assert_same(one, fold_user(snapshot, state))


@given(states=st.lists(st.tuples(fresh, ratings), min_size=1, max_size=5))
def test_each_has_her_own_extra_ratings(
    states: list[tuple[UserState, dict[ItemId, float]]],
) -> None:
    extras = [tuple(extra.items()) for _, extra in states]
    together = fold_users(SNAPSHOTS[0], [state for state, _ in states], extras)
    for one, (state, _), extra in zip(together, states, extras, strict=True):
        assert_same(one, fold_user(SNAPSHOTS[0], state, extra))


@pytest.mark.parametrize("damaged", [UserState(7, folded=b"?"), state_of({}, trained=b"?")])
def test_what_is_damaged_of_one_user_is_her_failure_alone(damaged: UserState) -> None:
    sound = state_of({"101": 4.0})
    before, failure, after = fold_users(SNAPSHOTS[0], [sound, damaged, sound])
    assert isinstance(failure, ArtifactCorrupt)
    assert_same(before, fold_user(SNAPSHOTS[0], sound))
    assert_same(after, fold_user(SNAPSHOTS[0], sound))


@pytest.mark.parametrize("head", HEADS)
@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=8), seed=st.integers(0, 2**32 - 1))
def test_vectors_folded_together_are_those_folded_alone(
    head: QuadraticHead, sizes: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.choice(120, size, replace=False)).astype(np.int32) for size in sizes]
    values = rng.uniform(0.5, 5.0, sum(sizes))
    starts = (0, *np.cumsum(sizes).tolist())
    bases = rng.normal(size=(len(sizes), len(head.prior)))
    together = fold_together(head, Histories(np.concatenate(rows), values, starts), bases)
    for own, (start, end), base, vector in zip(
        rows, pairwise(starts), bases, together, strict=True
    ):
        alone = fold(head, own, values[start:end], base).vector
        np.testing.assert_array_equal(vector.astype(np.float32), alone.astype(np.float32))


def test_a_part_of_histories_keeps_their_order() -> None:
    histories = Histories(np.arange(6, dtype=np.int32), np.arange(6) / 2, (0, 2, 2, 5, 6))
    some = histories.only([0, 1, 3])
    assert [rows.tolist() for rows, _ in map(some.__getitem__, range(3))] == [[0, 1], [], [5]]
    assert histories.only([0, 1, 2, 3]) is histories


def test_a_user_who_is_remembered_holds_nothing_of_her_company() -> None:
    one, *_ = fold_users(SNAPSHOTS[0], [state_of({"101": 4.0}), state_of({"102": 2.0})])
    assert isinstance(one, FoldedUser)
    arrays = (one.ranking_vector, one.rating_vector, one.seen)
    assert all(array.base is None for array in arrays)
