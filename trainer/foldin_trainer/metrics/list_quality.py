"""The NDCG of lists for held-out users, scored for a few users at a time.

The scores of a thousand users for a large catalog would take gigabytes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Mask, Rows

from foldin_trainer.metrics.lists import best
from foldin_trainer.metrics.ranking_metrics import hit_matrix, ndcg

LIST_LENGTH: Final = 10
USERS_AT_A_TIME: Final = 128

ScoreUsers = Callable[[slice], Iterable[Doubles]]
"""Yields the scores (n, n_items) of a slice of the users, one array for each way to compare."""


def list_qualities(
    scored: ScoreUsers, given: Sequence[Rows], hidden: Sequence[Rows], liked: Sequence[Rows]
) -> Doubles:
    """Returns NDCG@10 with every hidden item a hit, and with the liked ones only, (ways, 2).

    `given` are the rows that each user has rated; they are left out of the lists.
    """
    parts = [
        slice(start, start + USERS_AT_A_TIME) for start in range(0, len(given), USERS_AT_A_TIME)
    ]
    lists = [[_lists(scores, given[part]) for scores in scored(part)] for part in parts]
    ways = [np.concatenate(way) for way in zip(*lists, strict=True)]
    return np.array([[_mean_ndcg(way, hits) for hits in (hidden, liked)] for way in ways])


def _lists(scores: Doubles, given: Sequence[Rows]) -> Rows:
    left_out: Mask = np.zeros(scores.shape, np.bool_)
    for user, rows in enumerate(given):
        left_out[user, rows] = True
    return best(scores, left_out, LIST_LENGTH)


def _mean_ndcg(lists: Rows, hits: Sequence[Rows]) -> float:
    sizes = np.array([len(rows) for rows in hits])
    if not sizes.any():  # without rating values, no item is liked
        return 0.0
    found = hit_matrix(lists, hits)
    return float(ndcg(found[sizes > 0], sizes[sizes > 0]).mean())
