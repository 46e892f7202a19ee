"""A case: one user's given and hidden ratings, which a method is asked about.

Rows are rows of the data set's item vocabulary, for every method alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from foldin_model.arrays import Doubles, Rows
from foldin_model.ids import UserId
from foldin_model.scale import Scale
from scipy.sparse import csr_array

from foldin_trainer.data.ratings import Ratings


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


def history_matrix(cases: Sequence[Case], items: int) -> csr_array:
    """The given ratings as 0/1, (n_cases, items) float64, sorted within rows."""
    sizes = np.array([0, *(len(case.given_rows) for case in cases)])
    columns = np.concatenate([case.given_rows for case in cases])
    return csr_array((np.ones(len(columns)), columns, np.cumsum(sizes)), shape=(len(cases), items))


def _histories(ratings: Ratings, users: Rows) -> Iterator[tuple[Rows, Doubles]]:
    order = np.lexsort((ratings.items, ratings.users))
    owners, rows, values = ratings.users[order], ratings.items[order], ratings.values[order]
    starts = np.searchsorted(owners, users, "left").tolist()
    ends = np.searchsorted(owners, users, "right").tolist()
    for start, end in zip(starts, ends, strict=True):
        yield rows[start:end], values[start:end]


def liked_from(scale: Scale) -> float:
    """The lowest rating that says "liked": three quarters up the scale.

    4 or more on MovieLens' scales, 1 to 5 and 0.5 to 5 in halves.
    """
    return scale.low + 0.75 * (scale.high - scale.low)
