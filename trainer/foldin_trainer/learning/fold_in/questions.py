"""What fold-in is tried on: users held out, with histories of several lengths.

Nothing is folded or measured here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Rows

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutCase

LENGTHS: Final = (0, 1, 5, 20, None)  # None: the four fifths that the protocol gives


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One held-out user with a history of one of the lengths, rows in increasing order.

    A short history holds her earliest ratings: a newcomer's first ones tell less of the rest than
    random ones do.
    `liked_rows` are those of the hidden rows that she rated above the mean rating.
    """

    rows: Rows
    values: Doubles
    hidden_rows: Rows
    hidden_values: Doubles
    liked_rows: Rows


Questions = Sequence[Sequence[Question]]


def asked(group: Sequence[Question]) -> tuple[list[Rows], list[Rows], list[Rows]]:
    """The rows that each is given, those hidden from her and those of them that she liked."""
    return (
        [question.rows for question in group],
        [question.hidden_rows for question in group],
        [question.liked_rows for question in group],
    )


def questions_of(
    ratings: Ratings, cases: Sequence[HeldOutCase], lengths: Sequence[int | None] = LENGTHS
) -> Questions:
    """The cases with histories of every one of the lengths."""
    mean = float(ratings.values.mean())
    return [[_question(ratings, case, length, mean) for case in cases] for length in lengths]


def _question(ratings: Ratings, case: HeldOutCase, length: int | None, mean: float) -> Question:
    known = case.given_index
    if ratings.timestamps is not None:
        known = known[np.argsort(ratings.timestamps[known], kind="stable")]
    given, rest = known[:length], known[len(known[:length]) :]
    given = given[np.argsort(ratings.items[given])]
    hidden = np.concatenate((rest, case.hidden_index))
    rows, values = ratings.items[hidden], ratings.values[hidden]
    liked = rows[values > mean]
    return Question(ratings.items[given], ratings.values[given], rows, values, liked)
