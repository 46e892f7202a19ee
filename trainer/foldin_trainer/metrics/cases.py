"""Cases: the given and hidden ratings of one user, on which methods are tested.

Rows are positions in the data set's `item_ids`, for every method alike.
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
    """The ratings of one user that a method may know, and those that it should predict.

    `*_rows` are (n,) int32 in increasing order, `*_values` their (n,) float64 ratings. Neither the
    given rows nor the `masked_rows` may be recommended.
    """

    user_id: UserId
    given_rows: Rows
    given_values: Doubles
    hidden_rows: Rows
    hidden_values: Doubles
    masked_rows: Rows = field(default_factory=lambda: np.zeros(0, np.int32))


def make_cases(given: Ratings, hidden: Ratings) -> tuple[Case, ...]:
    """Returns one case for each user with a hidden rating, in the order of user rows.

    `given` and `hidden` have the same vocabularies. A user may have no given rating.
    """
    users = np.unique(hidden.users)
    return tuple(
        Case(UserId(hidden.user_ids[user]), *known, *asked)
        for user, known, asked in zip(
            users.tolist(), _histories(given, users), _histories(hidden, users), strict=True
        )
    )


def history_matrix(cases: Sequence[Case], items: int) -> csr_array:
    """Returns the given ratings as 0/1, (n_cases, items) float64, sorted within rows."""
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
    """Returns the lowest rating that counts as liked: three quarters up the scale.

    It is 4 on the scale 1 to 5, and 3.875 on 0.5 to 5, where ratings are halves.
    """
    return scale.low + 0.75 * (scale.high - scale.low)
