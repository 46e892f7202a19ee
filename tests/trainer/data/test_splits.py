"""Splits are the published ones, and each hides the ratings that it should."""

import numpy as np
import pytest
from foldin_model.errors import FoldinError
from foldin_model.scale import Scale
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.data.splits import held_out_users, kfold, random_split, temporal_leave_last
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

COUNTS = st.lists(st.integers(1, 12), min_size=5, max_size=20)


def ratings_of(counts: list[int], *, seed: int = 0, times: bool = True) -> Ratings:
    """Returns ratings with that many for each user, in a random file order."""
    rng = np.random.default_rng(seed)
    users = rng.permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int32)
    items = np.zeros(len(users), np.int32)
    for user in range(len(counts)):
        items[users == user] = np.arange(counts[user])
    return Ratings(
        user_ids=tuple(str(10 * i + 3) for i in range(len(counts))),
        item_ids=tuple(f"i{i}" for i in range(max(counts))),
        users=users,
        items=items,
        values=np.ones(len(users)),
        timestamps=rng.integers(0, 5, len(users)) if times else None,
        scale=Scale(1, 5),
    )


def test_kfold_is_sklearns_over_file_order(tiny: Dataset) -> None:
    expected = KFold(5, shuffle=True, random_state=0).split(np.arange(len(tiny.ratings)))
    for (train, test), (wanted_train, wanted_test) in zip(
        kfold(tiny.ratings), expected, strict=True
    ):
        np.testing.assert_array_equal(train, wanted_train)
        np.testing.assert_array_equal(test, wanted_test)


@given(COUNTS, st.integers(0, 3))
def test_every_user_is_held_out_once_with_all_ratings_given_or_hidden(
    counts: list[int], seed: int
) -> None:
    ratings = ratings_of(counts, seed=seed)
    held = []
    for fold in held_out_users(ratings, seed=seed):
        held += [case.user for case in fold.cases]
        for case in fold.cases:
            both = np.sort(np.concatenate((case.given_index, case.hidden_index)))
            np.testing.assert_array_equal(both, np.flatnonzero(ratings.users == case.user))
            assert len(case.given_index) == int(0.8 * counts[case.user])
        testers = {case.user for case in fold.cases}
        assert testers.isdisjoint(fold.train_users.tolist())
        assert len(testers) + len(fold.train_users) == len(counts)
        np.testing.assert_array_equal(
            fold.train_index, np.flatnonzero(np.isin(ratings.users, fold.train_users))
        )
    assert sorted(held) == list(range(len(counts)))


def test_held_out_users_are_the_published_protocol(tiny: Dataset) -> None:
    ratings = tiny.ratings
    ids = np.array(sorted(int(user_id) for user_id in ratings.user_ids))
    splitter = KFold(5, shuffle=True, random_state=0)
    for fold, (_, test) in zip(held_out_users(ratings), splitter.split(ids), strict=True):
        assert [int(ratings.user_ids[case.user]) for case in fold.cases] == ids[test].tolist()
        for case in fold.cases:
            history = np.flatnonzero(ratings.users == case.user)
            rng = np.random.default_rng(int(ratings.user_ids[case.user]))
            permuted = history[rng.permutation(len(history))]
            np.testing.assert_array_equal(case.given_index, permuted[: int(0.8 * len(history))])


def test_ids_that_are_not_numbers_are_split_the_same_every_time() -> None:
    ratings = ratings_of([4] * 10)
    named = Ratings(
        tuple(f"user-{i}" for i in range(10)),
        *(ratings.item_ids, ratings.users, ratings.items, ratings.values),
        timestamps=None,
        scale=ratings.scale,
    )
    first, again = (
        [case.given_index.tolist() for fold in held_out_users(named) for case in fold.cases]
        for _ in range(2)
    )
    assert first == again


@given(COUNTS, st.integers(1, 3))
def test_leave_last_hides_the_latest_ratings_of_users_who_have_more(
    counts: list[int], n_last: int
) -> None:
    ratings = ratings_of(counts)
    n_last = min(n_last, len(ratings))
    train, test = temporal_leave_last(ratings, n_last)
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(len(ratings)))
    times = ratings.timestamps
    assert times is not None
    for user, count in enumerate(counts):
        hidden = test[ratings.users[test] == user]
        assert len(hidden) == (n_last if count > n_last else 0)
        kept = train[ratings.users[train] == user]
        assert all((times[k], k) < (times[h], h) for k in kept for h in hidden)


def test_leave_last_without_times_is_refused() -> None:
    with pytest.raises(FoldinError, match="timestamps"):
        temporal_leave_last(ratings_of([3] * 5, times=False))


def test_a_random_split_hides_the_share_and_repeats(tiny: Dataset) -> None:
    train, test = random_split(tiny.ratings, 0.1, seed=7)
    assert len(test) == len(tiny.ratings) // 10
    assert len(np.union1d(train, test)) == len(tiny.ratings)
    np.testing.assert_array_equal(test, random_split(tiny.ratings, 0.1, seed=7)[1])
