"""Features that summarize histories and audiences: genres, decades, popularity and dates.

They are made from the training ratings without their values. For a row with few ratings one such
number says more than the ids of what was rated.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers, Rows
from scipy import sparse

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.rating_heads.bayes.side_information.features import (
    Block,
    Words,
    decades,
    of_words,
)

SHARE_SPREAD: Final = (
    0.3  # of a genre's share: shares are correlated and weigh about as one feature together
)
YEAR_S: Final = 31_557_600
MONTH_S: Final = 2_592_000
FEW_YEARS: Final = 3  # of a data set, whose dates are then months


def user_context(ratings: Ratings, items: ItemTable) -> dict[str, Block]:
    """Returns of every user: shares of genres and decades, popularity of the items, dates."""
    history = _history(ratings)
    popularity = np.log1p(np.bincount(ratings.items, minlength=history.shape[1]))
    blocks = {
        "history genres": _shares(history, items.genres),
        "history decades": _shares(history, decades(items)),
        "history popularity": _dense(_standard(_means(history, popularity[:, None]), history)),
    }
    return _present(blocks | {"user dates": _dates(ratings, ratings.users, history.shape[0], 1.0)})


def item_context(ratings: Ratings) -> dict[str, Block]:
    """Returns of every item: how active its raters are, and the dates of their ratings."""
    audience = sparse.csr_array(_history(ratings).T)
    activity = np.log1p(np.bincount(ratings.users, minlength=audience.shape[1]))
    blocks = {"audience activity": _dense(_standard(_means(audience, activity[:, None]), audience))}
    return _present(blocks | {"item dates": _dates(ratings, ratings.items, audience.shape[0], 0.5)})


def _history(ratings: Ratings) -> sparse.csr_array:
    """Returns ones where a user rated an item, (n_users, n_items)."""
    ones = np.ones(len(ratings), np.float32)
    shape = len(ratings.user_ids), len(ratings.item_ids)
    return sparse.csr_array((ones, (ratings.users, ratings.items)), shape=shape)


def _shares(history: sparse.csr_array, words: Words) -> Block:
    """Returns the share of every word in a history, standardized over histories."""
    rows, columns, values, width = of_words(words)
    table = sparse.csr_array((values, (rows, columns)), shape=(len(words), width))
    return _dense(SHARE_SPREAD * _standard(_means(history, table.toarray()), history))


def _means(others: sparse.csr_array, numbers: Doubles | Floats) -> Doubles:
    """Returns the mean (n, k) of the others' numbers, zero where there is no other."""
    counts = np.diff(others.indptr)[:, None]
    return np.asarray(others @ numbers, np.float64) / np.maximum(counts, 1)


def _standard(numbers: Doubles, others: sparse.csr_array) -> Doubles:
    """Returns columns of mean 0 and deviation 1 over rows with others; other rows are 0."""
    there = np.diff(others.indptr) > 0
    known = numbers[there]
    if not len(known):
        return np.zeros_like(numbers)
    spread = known.std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-6)
    return np.where(there[:, None], (numbers - known.mean(axis=0)) * scale, 0.0)


def _dates(ratings: Ratings, rows: Rows, size: int, power: float) -> Block:
    """Returns the ratings of every row by year, or month, over that power of their number."""
    if ratings.timestamps is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), 0
    times = ratings.timestamps - ratings.timestamps.min()
    width = YEAR_S if times.max() > FEW_YEARS * YEAR_S else MONTH_S
    periods: Integers = times // width
    ones = np.ones(len(rows), np.float32)
    counts = np.bincount(rows, minlength=size)
    shape = size, int(periods.max()) + 1
    table = sparse.coo_array(sparse.csr_array((ones, (rows, periods)), shape=shape))
    places, within = (np.asarray(part, np.int64) for part in table.coords)
    return places, within, np.asarray(table.data / counts[places] ** power, np.float32), shape[1]


def _dense(table: Doubles) -> Block:
    rows, columns = np.nonzero(table)
    return rows, columns, table[rows, columns].astype(np.float32), table.shape[1]


def _present(blocks: Mapping[str, Block]) -> dict[str, Block]:
    """Returns the blocks that have entries."""
    return {name: block for name, block in blocks.items() if len(block[2])}
