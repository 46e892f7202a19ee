"""Recall, NDCG and average precision of lists of k recommended items.

A list is a row of item rows, best first, padded with -1 if fewer than k items were left. Gain is
binary: a hidden item is a hit. All functions return one number for each user; the caller takes the
mean. Users without a hidden item have no defined value; the caller must leave them out.
"""

from collections.abc import Sequence

import numpy as np
from foldin_model.arrays import Doubles, Integers, Mask, Rows


def hit_matrix(lists: Rows, hidden: Sequence[Rows]) -> Mask:
    """Returns which of the (n, k) recommended rows are hidden rows of their user, (n, k)."""
    sizes = [len(rows) for rows in hidden]
    users = np.repeat(np.arange(len(hidden), dtype=np.int64), sizes)
    rows = np.concatenate([*hidden, np.zeros(0, np.int32)]).astype(np.int64)
    width = max(int(rows.max(initial=0)), int(lists.max(initial=0))) + 1
    keys = np.arange(len(lists), dtype=np.int64)[:, None] * width + lists
    return np.isin(keys, users * width + rows) & (lists >= 0)


def recall(hits: Mask, relevant: Integers) -> Doubles:
    """Returns recall@k = hits among the k / hidden items, (n,) for (n, k) hits.

    The denominator is the number of hidden items even if it exceeds k: a user with more than k
    hidden items cannot reach 1.
    """
    return np.asarray(hits.sum(axis=1) / relevant, np.float64)


def ndcg(hits: Mask, relevant: Integers) -> Doubles:
    """Returns nDCG@k = DCG / IDCG with DCG = Σ_{p≤k} hit_p / log₂(p + 1), (n,) for (n, k) hits.

    IDCG is the DCG of a list that starts with min(k, hidden items) hits (Järvelin & Kekäläinen
    2002, binary gain).
    """
    discounts = 1.0 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))
    return np.asarray(hits @ discounts / ideal[_reachable(hits, relevant)], np.float64)


def average_precision(hits: Mask, relevant: Integers) -> Doubles:
    """Returns AP@k = Σ_{p≤k} hit_p · precision@p / min(k, hidden items), (n,); its mean is MAP@k.

    The denominator is the largest number of hits in k places, so that a perfect list has 1 (as in
    Kaggle's MAP@k).
    """
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    return np.asarray((precision * hits).sum(axis=1) / _reachable(hits, relevant), np.float64)


def _reachable(hits: Mask, relevant: Integers) -> Integers:
    return np.minimum(relevant, hits.shape[1])
