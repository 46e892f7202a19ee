"""How good lists for users held out are, whose scores come for some users at a time.

Those of a thousand users for all items of a large catalogue would take gigabytes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Mask, Rows

from foldin_trainer.evaluation.methods import best
from foldin_trainer.evaluation.ranking_metrics import hit_matrix, ndcg
from foldin_trainer.learning.questions import Question

LIST_LENGTH: Final = 10
USERS: Final = 128
"""Users at a time."""
Scored = Callable[[slice], Iterable[Doubles]]


def list_qualities(scored: Scored, group: Sequence[Question]) -> Doubles:
    """(ways, 2): NDCG@10 with every hidden item a hit, and with the liked ones only.

    `scored` gives the scores (n, n_items) of a slice of the group in every way that is compared.
    """
    parts = [slice(start, start + USERS) for start in range(0, len(group), USERS)]
    lists = [[_lists(scores, group[part]) for scores in scored(part)] for part in parts]
    hidden = [question.hidden_rows for question in group]
    liked = [question.liked_rows for question in group]
    ways = [np.concatenate(way) for way in zip(*lists, strict=True)]
    return np.array([[_mean_ndcg(way, hits) for hits in (hidden, liked)] for way in ways])


def _lists(scores: Doubles, group: Sequence[Question]) -> Rows:
    given: Mask = np.zeros(scores.shape, np.bool_)
    for row, question in enumerate(group):
        given[row, question.rows] = True
    return best(scores, given, LIST_LENGTH)


def _mean_ndcg(lists: Rows, hidden: Sequence[Rows]) -> float:
    sizes = np.array([len(rows) for rows in hidden])
    if not sizes.any():  # where ratings have no values, none is above the mean
        return 0.0
    hits = hit_matrix(lists, hidden)
    return float(ndcg(hits[sizes > 0], sizes[sizes > 0]).mean())
