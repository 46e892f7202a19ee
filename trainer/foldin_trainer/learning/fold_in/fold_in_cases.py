"""Held-out users with histories of several lengths, which the constants of fold-in are chosen on.

Nothing is folded or measured here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Rows

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutCase

LENGTHS: Final = (0, 1, 5, 20, None)  # None: all that is given, four fifths of the ratings


@dataclass(frozen=True, slots=True, eq=False)
class FoldInCase:
    """A held-out user with a history of one of the lengths, rows in increasing order.

    A short history holds the user's earliest ratings, since the first ratings of a new user say
    less about the others than random ones do. `liked_rows` are the hidden rows that the user rated
    above the mean rating.
    """

    rows: Rows
    values: Doubles
    hidden_rows: Rows
    hidden_values: Doubles
    liked_rows: Rows


CasesByLength = Sequence[Sequence[FoldInCase]]


def case_rows(group: Sequence[FoldInCase]) -> tuple[list[Rows], list[Rows], list[Rows]]:
    """Returns the given, the hidden and the liked rows, each as one array a user."""
    return (
        [case.rows for case in group],
        [case.hidden_rows for case in group],
        [case.liked_rows for case in group],
    )


def cases_by_length(
    ratings: Ratings, cases: Sequence[HeldOutCase], lengths: Sequence[int | None] = LENGTHS
) -> CasesByLength:
    """Returns the users for every length, each with a history of that length."""
    mean = float(ratings.values.mean())
    return [[_case(ratings, case, length, mean) for case in cases] for length in lengths]


def _case(ratings: Ratings, case: HeldOutCase, length: int | None, mean: float) -> FoldInCase:
    known = case.given_index
    if ratings.timestamps is not None:
        known = known[np.argsort(ratings.timestamps[known], kind="stable")]
    given, rest = known[:length], known[len(known[:length]) :]
    given = given[np.argsort(ratings.items[given])]
    hidden = np.concatenate((rest, case.hidden_index))
    rows, values = ratings.items[hidden], ratings.values[hidden]
    liked = rows[values > mean]
    return FoldInCase(ratings.items[given], ratings.values[given], rows, values, liked)
