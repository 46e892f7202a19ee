"""Makes lists of the best items from scores, in canonical order.

The order is score descending, then row ascending, as in the server.
"""

from collections.abc import Callable, Sequence

import numpy as np
from foldin_model.arrays import Doubles, Mask, Rows
from scipy.sparse import csr_array

from foldin_trainer.metrics.cases import Case, history_matrix

BATCH = 256


def lists_by_score(
    scores: Callable[[csr_array], Doubles], cases: Sequence[Case], items: int, count: int
) -> Rows:
    """Returns the lists of `Method.recommend` for a function from 0/1 histories to scores.

    `scores` takes (n, items) given ratings as 0/1 and returns (n, items). It is called for a few
    users at a time, so that only one small dense matrix is in memory.
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


def best(scores: Doubles, given: Mask, count: int) -> Rows:
    """Returns the rows of the highest scores in canonical order, (n, count) for (n, items) scores.

    `given` items are left out; lists are padded with -1 if too few items are left.
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
