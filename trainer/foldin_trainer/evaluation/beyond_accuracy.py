"""What recommended lists do to the catalogue: how much of it they reach, and how evenly.

These look at the lists only, never at hits. Lists are (n, k) item rows padded with -1; counts are
the (n_items,) numbers of training ratings.
"""

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows


def exposure(lists: Rows, items: int) -> Integers:
    """How often each of `items` items is recommended, (items,)."""
    return np.bincount(lists[lists >= 0], minlength=items).astype(np.int64)


def coverage(lists: Rows, items: int) -> float:
    """The share of the catalogue that is recommended to anybody, 0 to 1."""
    return float(np.count_nonzero(exposure(lists, items)) / items)


def novelty(lists: Rows, counts: Integers, users: int) -> float:
    """The mean self-information −log₂ p(i) of a recommended item, in bits.

    p(i) = (ratings of i + 1) / (users + 1), smoothed because unrated items are recommended too
    (Zhou et al. 2010). A film that everybody has rated carries 0 bits. NaN for empty lists.
    """
    information = -np.log2((counts + 1.0) / (users + 1.0))
    return _mean(information[lists[lists >= 0]])


def mean_popularity(lists: Rows, counts: Integers) -> float:
    """Popularity bias: the mean number of training ratings of a recommended item.

    The average recommendation popularity of Yin et al. 2012. NaN for empty lists.
    """
    return _mean(counts[lists[lists >= 0]].astype(np.float64))


def gini(lists: Rows, items: int) -> float:
    """Popularity bias: the Gini coefficient of the items' exposure, 0 (even) to 1 (one item).

    G = Σ_i (2i − n − 1) e_i / (n Σ e) over exposures e in increasing order, i from 1; items that
    are never recommended count with exposure 0. NaN for empty lists.
    """
    ordered = np.sort(exposure(lists, items)).astype(np.float64)
    if not ordered.any():
        return float("nan")
    places = 2.0 * np.arange(1, items + 1) - items - 1.0
    return float(places @ ordered / (items * ordered.sum()))


def _mean(values: Doubles) -> float:
    return float(values.mean()) if values.size else float("nan")
