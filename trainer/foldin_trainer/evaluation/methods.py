"""What is evaluated: a case is one user's given and hidden ratings, a method answers cases.

Rows are rows of the data set's item vocabulary, for every method alike.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from foldin_model.arrays import Doubles, Mask, Rows
from foldin_model.ids import UserId
from scipy.sparse import csr_array

from foldin_trainer.data.ratings import Ratings

BATCH = 256


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What a method may know of a user, and what it is asked for.

    `*_rows` are (n,) int32 in increasing order, `*_values` (n,) float64 beside them. Neither the
    given rows nor the `masked_rows` may be recommended.
    """

    user_id: UserId
    given_rows: Rows
    given_values: Doubles
    hidden_rows: Rows
    hidden_values: Doubles
    masked_rows: Rows = field(default_factory=lambda: np.zeros(0, np.int32))


class Method(Protocol):
    """One way to recommend, fitted to the training part."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """The best `count` items neither given nor masked, (n_cases, count), padded with -1."""
        ...

    def predict(self, cases: Sequence[Case]) -> Doubles | None:
        """Ratings for the hidden rows, case after case; None where the method predicts none."""
        ...


def make_cases(given: Ratings, hidden: Ratings) -> tuple[Case, ...]:
    """One case for every user with a hidden rating, in the order of user rows.

    Both share their vocabularies; users without given ratings are cases all the same.
    """
    users = np.unique(hidden.users)
    return tuple(
        Case(UserId(hidden.user_ids[user]), *known, *asked)
        for user, known, asked in zip(
            users.tolist(), _histories(given, users), _histories(hidden, users), strict=True
        )
    )


def by_score(
    scores: Callable[[csr_array], Doubles], cases: Sequence[Case], items: int, count: int
) -> Rows:
    """The lists of `Method.recommend` for a function from 0/1 histories to scores.

    `scores` takes (n, items) given ratings as 0/1 and returns (n, items); it is called for a few
    users at a time, so that one dense matrix is kept at a time.
    """
    lists = [np.zeros((0, count), np.int32)]
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        histories = history_matrix(batch, items)
        left_out: Mask = histories.toarray() > 0.0
        for place, case in enumerate(batch):
            left_out[place, case.masked_rows] = True
        lists.append(best(scores(histories), left_out, count))
    return np.concatenate(lists)


def history_matrix(cases: Sequence[Case], items: int) -> csr_array:
    """The given ratings as 0/1, (n_cases, items) float64, sorted within rows."""
    sizes = np.array([0, *(len(case.given_rows) for case in cases)])
    columns = np.concatenate([case.given_rows for case in cases])
    return csr_array((np.ones(len(columns)), columns, np.cumsum(sizes)), shape=(len(cases), items))


def best(scores: Doubles, given: Mask, count: int) -> Rows:
    """The rows of the highest scores in canonical order, (n, count) for (n, items) scores.

    Score descending, then row ascending, as the server orders; `given` items are left out, and
    -1 stands where nothing is left.
    """
    users, items = scores.shape
    losses = np.where(given, np.inf, -scores)
    width = min(count, items)
    limits = np.partition(losses, width - 1, axis=1)[:, width - 1]
    tied = losses == limits[:, None]
    tied &= tied.cumsum(axis=1, dtype=np.int32) <= width
    owners, rows = np.nonzero(((losses < limits[:, None]) | tied) & ~given)
    order = np.lexsort((rows, losses[owners, rows], owners))
    owners, rows = owners[order], rows[order]
    places = np.arange(len(owners)) - np.searchsorted(owners, owners)
    lists = np.full((users, count), -1, np.int32)
    kept = places < count
    lists[owners[kept], places[kept]] = rows[kept]
    return lists


def _histories(ratings: Ratings, users: Rows) -> Iterator[tuple[Rows, Doubles]]:
    order = np.lexsort((ratings.items, ratings.users))
    owners, rows, values = ratings.users[order], ratings.items[order], ratings.values[order]
    starts = np.searchsorted(owners, users, "left").tolist()
    ends = np.searchsorted(owners, users, "right").tolist()
    for start, end in zip(starts, ends, strict=True):
        yield rows[start:end], values[start:end]
