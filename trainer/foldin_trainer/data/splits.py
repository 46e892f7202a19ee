"""Splits ratings into a training part and a test part.

All splits are positions in `Ratings` in file order, so that published folds can be repeated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
from foldin_model.arrays import Integers, Rows
from foldin_model.errors import FoldinError
from sklearn.model_selection import KFold

from foldin_trainer.data.ratings import Ratings

Split = tuple[Integers, Integers]
COLD_GROUPS: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutCase:
    """One held-out user: positions of the ratings to fold in, and of those to predict.

    Both are in the order of the user's permutation; `user` is a position in `Ratings.user_ids`.
    """

    user: int
    given_index: Integers
    hidden_index: Integers


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutFold:
    """Users to train on, positions of all their ratings in file order, and held-out users."""

    train_users: Rows
    train_index: Integers
    cases: tuple[HeldOutCase, ...]


def kfold(ratings: Ratings, folds: int = 5, seed: int = 0) -> Iterator[Split]:
    """Yields train and test positions by KFold(folds, shuffle=True, random_state=seed)."""
    splitter = KFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(np.arange(len(ratings))):
        yield train.astype(np.int64), test.astype(np.int64)


def random_split(ratings: Ratings, share: float, seed: int = 0) -> Split:
    """Returns train positions and a random `share` of test positions (rounded down), ascending."""
    _within(share, 0.0, 1.0, "share")
    order = np.random.default_rng(seed).permutation(len(ratings))
    size = int(share * len(ratings))
    return np.sort(order[size:]), np.sort(order[:size])


def temporal_leave_last(ratings: Ratings, n_last: int = 1) -> Split:
    """Returns train positions and those of each user's `n_last` latest ratings, both ascending.

    Ties go by file order. A user with no more than `n_last` ratings stays in the training part.
    Raises FoldinError if the ratings have no timestamps.
    """
    if ratings.timestamps is None:
        raise FoldinError(
            "the latest ratings are unknown: this data set has no timestamps; name their column "
            "with --timestamp-column, or choose the protocol random or held-out-users"
        )
    _within(n_last, 1, len(ratings), "n_last")
    order = np.lexsort((ratings.timestamps, ratings.users))
    counts = np.bincount(ratings.users, minlength=len(ratings.user_ids))
    ends = np.cumsum(counts)[ratings.users[order]]
    from_end = ends - np.arange(len(order))
    hidden = (from_end <= n_last) & (counts[ratings.users[order]] > n_last)
    return np.sort(order[~hidden]), np.sort(order[hidden])


def held_out_users(ratings: Ratings, folds: int = 5, seed: int = 0) -> Iterator[HeldOutFold]:
    """Yields folds in which every user is held out once, with 80% of the ratings given.

    KFold(folds, shuffle=True, random_state=seed) over the sorted user ids, numeric ids as
    numbers. `default_rng(int(id))` permutes a user's ratings in file order; an id that is not a
    number is seeded by its CRC-32. The 80% are rounded down.
    """
    by_user = np.argsort(ratings.users, kind="stable")
    counts = np.bincount(ratings.users, minlength=len(ratings.user_ids))
    histories = np.split(by_user, np.cumsum(counts)[:-1])
    rated = np.flatnonzero(counts).tolist()
    users = np.array(sorted(rated, key=lambda user: _sort_key(ratings.user_ids[user])), np.int32)
    splitter = KFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(users):
        train_users = users[train]
        yield HeldOutFold(
            train_users,
            np.flatnonzero(np.isin(ratings.users, train_users)),
            tuple(_case(ratings, user, histories[user]) for user in users[test].tolist()),
        )


def _case(ratings: Ratings, user: int, history: Integers) -> HeldOutCase:
    permuted = np.random.default_rng(_seed(ratings.user_ids[user])).permutation(history)
    given = len(history) * 4 // 5
    return HeldOutCase(user, permuted[:given], permuted[given:])


def _seed(user_id: str) -> int:
    return int(user_id) if _numeric(user_id) else crc32(user_id.encode())


def _sort_key(user_id: str) -> tuple[bool, int, str]:
    numeric = _numeric(user_id)
    return not numeric, int(user_id) if numeric else 0, user_id


def _numeric(user_id: str) -> bool:
    return user_id.isascii() and user_id.isdigit()


def _within(value: float, low: float, high: float, name: str) -> None:
    if not low <= value <= high:
        raise FoldinError(f"{name} is {value}, outside {low} to {high}")


def cold_items(ratings: Ratings, folds: int, seed: int) -> Iterator[Split]:
    """Yields `folds` splits, at most ten, that each hide the ratings of another tenth of the items.

    Every rated item is in one of the ten tenths.
    """
    order = np.random.default_rng(seed).permutation(np.unique(ratings.items))
    for group in range(min(folds, COLD_GROUPS)):
        cold = np.isin(ratings.items, order[group::COLD_GROUPS])
        yield np.flatnonzero(~cold), np.flatnonzero(cold)
