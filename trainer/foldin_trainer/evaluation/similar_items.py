"""Measures how often lists of similar items hold the next item that the same user rates.

For held-out users, every two ratings that follow each other in time are a question: is the second
item among the ten items most similar to the first? The raw inner product and co-occurrence counts
answer the same questions.
"""

from collections.abc import Callable, Mapping

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows
from foldin_model.retrieval.similar_items import similar_items
from foldin_model.trained.snapshot import Snapshot

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.methods.references import interactions
from foldin_trainer.metrics.lists import BATCH, best

Hits = Mapping[str, Doubles]


def next_pairs(ratings: Ratings) -> tuple[Rows, Rows]:
    """Returns the items that one user rated directly after each other, (n,) firsts, (n,) seconds.

    The order is by time, ties by file order; without timestamps it is file order.
    """
    times: Integers = (
        np.arange(len(ratings), dtype=np.int64)
        if ratings.timestamps is None
        else ratings.timestamps
    )
    order = np.lexsort((times, ratings.users))
    users, items = ratings.users[order], ratings.items[order]
    together = users[1:] == users[:-1]
    return items[:-1][together], items[1:][together]


def next_item_hits(
    snapshot: Snapshot, train: Ratings, held_out: Ratings, *, count: int = 10
) -> Hits:
    """Returns, for each way of finding similar items, which questions it answers, (n,) of 0 and 1.

    The rows of the model must be those of the ratings.
    """
    firsts, seconds = next_pairs(held_out)
    asked, places = np.unique(firsts, return_inverse=True)
    lists = {
        "foldin": np.array([_similar(snapshot, row, count) for row in asked.tolist()]),
        "raw inner product": _inner_products(snapshot, asked, count),
        "co-occurrence": _co_occurrence(train, asked, count),
    }
    return {
        name: (found[places] == seconds[:, None]).any(axis=1).astype(np.float64)
        for name, found in lists.items()
    }


def _similar(snapshot: Snapshot, row: int, count: int) -> Rows:
    rows = similar_items(snapshot, row, None, count).rows
    return np.pad(rows, (0, count - len(rows)), constant_values=-1)


def _inner_products(snapshot: Snapshot, asked: Rows, count: int) -> Rows:
    vectors = snapshot.model.ranking.vectors.astype(np.float64)
    return _nearest(lambda rows: vectors[rows] @ vectors.T, asked, count)


def _co_occurrence(train: Ratings, asked: Rows, count: int) -> Rows:
    matrix = interactions(train)
    by_item = matrix.T.tocsr()
    return _nearest(lambda rows: (by_item[rows] @ matrix).toarray(), asked, count)


def _nearest(scores: Callable[[Rows], Doubles], asked: Rows, count: int) -> Rows:
    lists = []
    for start in range(0, len(asked), BATCH):
        rows = asked[start : start + BATCH]
        found = scores(rows)
        itself = np.zeros(found.shape, np.bool_)
        itself[np.arange(len(rows)), rows] = True
        lists.append(best(found, itself, count))
    return np.concatenate(lists)
