"""What histories and audiences say as a whole: their genres and decades, how popular, from when.

Summaries of the training ratings, values apart; one number says for a row with few ratings what
the ids among them cannot. Features themselves are `features`'.
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

SHARE_SPREAD: Final = 0.3  # of a genre's share: correlated as they are, together about as one
YEAR_S: Final = 31_557_600
MONTH_S: Final = 2_592_000
FEW_YEARS: Final = 3  # that a data set spans; its dates are then told apart by months


def user_context(ratings: Ratings, items: ItemTable) -> dict[str, Block]:
    """Of every user: shares of genres and decades, how popular the items are, and when."""
    history = _history(ratings)
    popularity = np.log1p(np.bincount(ratings.items, minlength=history.shape[1]))
    blocks = {
        "history genres": _shares(history, items.genres),
        "history decades": _shares(history, decades(items)),
        "history popularity": _dense(_standard(_means(history, popularity[:, None]), history)),
    }
    return _present(blocks | {"user dates": _dates(ratings, ratings.users, history.shape[0], 1.0)})


def item_context(ratings: Ratings) -> dict[str, Block]:
    """Of every item: how active those are who rated it, and when they did."""
    audience = sparse.csr_array(_history(ratings).T)
    activity = np.log1p(np.bincount(ratings.users, minlength=audience.shape[1]))
    blocks = {"audience activity": _dense(_standard(_means(audience, activity[:, None]), audience))}
    return _present(blocks | {"item dates": _dates(ratings, ratings.items, audience.shape[0], 0.5)})


def _history(ratings: Ratings) -> sparse.csr_array:
    """Who rated what, (n_users, n_items) ones."""
    ones = np.ones(len(ratings), np.float32)
    shape = len(ratings.user_ids), len(ratings.item_ids)
    return sparse.csr_array((ones, (ratings.users, ratings.items)), shape=shape)


def _shares(history: sparse.csr_array, words: Words) -> Block:
    """How far the share of every word in a history is from that in others."""
    rows, columns, values, width = of_words(words)
    said = sparse.csr_array((values, (rows, columns)), shape=(len(words), width))
    return _dense(SHARE_SPREAD * _standard(_means(history, said.toarray()), history))


def _means(others: sparse.csr_array, numbers: Doubles | Floats) -> Doubles:
    """The mean (n, k) of the others' numbers, zero where there is no other."""
    counts = np.diff(others.indptr)[:, None]
    return np.asarray(others @ numbers, np.float64) / np.maximum(counts, 1)


def _standard(numbers: Doubles, others: sparse.csr_array) -> Doubles:
    """Columns of mean 0 and deviation 1 over the rows with others; the rest are at the mean."""
    there = np.diff(others.indptr) > 0
    known = numbers[there]
    if not len(known):
        return np.zeros_like(numbers)
    spread = known.std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-6)
    return np.where(there[:, None], (numbers - known.mean(axis=0)) * scale, 0.0)


def _dates(ratings: Ratings, rows: Rows, size: int, power: float) -> Block:
    """The ratings of every row by years, or months, over that power of their number."""
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
    """The blocks that say anything."""
    return {name: block for name, block in blocks.items() if len(block[2])}
