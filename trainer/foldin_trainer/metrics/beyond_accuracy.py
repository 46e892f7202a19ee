"""Metrics beyond accuracy: coverage, novelty, popularity bias, calibration and diversity.

They look at the lists, never at hits. Lists are (n, k) item rows padded with -1; counts are the
(n_items,) numbers of training ratings. Functions that return (n,) give one number for each user,
those that return a float one for all lists together.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows

SMOOTHING: Final = 0.01  # Steck's α: how much of the history is mixed into a list's genres


def exposure(lists: Rows, items: int) -> Integers:
    """Returns how often each of `items` items is recommended, (items,)."""
    return np.bincount(lists[lists >= 0], minlength=items).astype(np.int64)


def coverage(lists: Rows, items: int) -> float:
    """Returns the share of the catalog that is recommended to any user, 0 to 1.

    The aggregate diversity of Adomavicius & Kwon 2012, as a share.
    """
    return float(np.count_nonzero(exposure(lists, items)) / items)


def self_information(counts: Integers, users: int) -> Doubles:
    """Returns −log₂ p(i) of every item in bits, (items,).

    p(i) = (ratings of i + 1) / (users + 1), smoothed because unrated items are recommended too
    (Zhou et al. 2010). An item that every user has rated carries 0 bits.
    """
    return np.asarray(-np.log2((counts + 1.0) / (users + 1.0)), np.float64)


def novelty(lists: Rows, counts: Integers, users: int) -> float:
    """Returns the mean self-information of a recommended item, in bits. NaN for empty lists."""
    return _mean(self_information(counts, users)[lists[lists >= 0]])


def mean_popularity(lists: Rows, counts: Integers) -> float:
    """Returns the mean number of training ratings of a recommended item: popularity bias.

    The average recommendation popularity of Yin et al. 2012. NaN for empty lists.
    """
    return _mean(counts[lists[lists >= 0]].astype(np.float64))


def gini(lists: Rows, items: int) -> float:
    """Returns the Gini coefficient of the items' exposure, 0 (even) to 1 (one item).

    G = Σ_i (2i − n − 1) e_i / (n Σ e) over exposures e in increasing order, i from 1; items that
    are never recommended count with exposure 0. NaN for empty lists.
    """
    return float(gini_of(exposure(lists, items)[None].astype(np.float64))[0])


def gini_of(exposures: Doubles) -> Doubles:
    """Returns the Gini coefficient of each row of (n, items) exposures, (n,); NaN for zeros."""
    items = exposures.shape[1]
    places = 2.0 * np.arange(1, items + 1) - items - 1.0
    totals = items * exposures.sum(axis=1)
    weighted = np.sort(exposures, axis=1) @ places
    return np.asarray(
        np.divide(weighted, totals, out=np.full(len(totals), np.nan), where=totals > 0), np.float64
    )


def list_means(lists: Rows, values: Doubles) -> Doubles:
    """Returns the mean of the (items,) values over every user's list, (n,); NaN if empty."""
    shown = lists >= 0
    sums = np.where(shown, values[lists], 0.0).sum(axis=1)
    sizes = shown.sum(axis=1)
    return np.asarray(
        np.divide(sums, sizes, out=np.full(len(lists), np.nan), where=sizes > 0), np.float64
    )


def history_means(histories: Sequence[Rows], values: Doubles) -> Doubles:
    """Returns the mean of the (items,) values over every user's rated items, (n,); NaN if none."""
    return np.array([_mean(values[rows]) for rows in histories])


def popularity_lift(shown: Doubles, rated: Doubles) -> float:
    """Returns how much more popular lists are than their users' histories: popularity bias.

    mean(shown) / mean(rated) − 1 over users with both, where `shown` and `rated`, (n,), are the
    mean numbers of ratings of the items in a user's list and history (ΔGAP of Abdollahpouri et
    al. 2019). 0 is as popular as the items that users rate themselves. NaN without such users.
    """
    both = np.isfinite(shown) & np.isfinite(rated)
    return float(shown[both].mean() / rated[both].mean() - 1.0) if both.any() else float("nan")


def genre_shares(genres: Sequence[Sequence[str]]) -> Doubles:
    """Returns p(g|i), each item spread evenly over its genres, (items, genres); zeros if none."""
    names = {name: place for place, name in enumerate(sorted({g for own in genres for g in own}))}
    shares = np.zeros((len(genres), len(names)))
    for row, own in enumerate(genres):
        for name in own:
            shares[row, names[name]] = 1.0 / len(own)
    return shares


def miscalibration(lists: Rows, histories: Sequence[Rows], shares: Doubles) -> Doubles:
    """Returns C_KL of Steck 2018, (n,) in nats: 0 for a list with the genre shares of the history.

    KL(p ‖ q̃) = Σ_g p(g) ln(p(g) / q̃(g)) with p the mean genre shares of the user's rated items,
    q those of their list and q̃ = (1 − α) q + α p, α = 0.01. `shares` are those of `genre_shares`;
    items without genres are left out. NaN if either side has no genre.
    """
    p = _normalized(np.array([shares[rows].sum(axis=0) for rows in histories]))
    q = _normalized(_summed(lists, shares))
    mixed = (1.0 - SMOOTHING) * q + SMOOTHING * p
    ratio = np.divide(p, mixed, out=np.ones_like(p), where=p > 0)
    divergence = (p * np.log(ratio)).sum(axis=1)
    return np.where(np.isfinite(p + q).all(axis=1) & (shares.shape[1] > 0), divergence, np.nan)


def diversity(lists: Rows, shares: Doubles) -> Doubles:
    """Returns the intra-list distance of every list, (n,): the mean of 1 − cosine over item pairs.

    Items are their 0/1 genres (Smyth & McClave 2001; Ziegler et al. 2005): 0 if all have the same
    genres, 1 if no two share one. Items without genres are left out; NaN if fewer than two are
    left.
    """
    flags = (shares > 0).astype(np.float64)
    lengths = np.sqrt(flags.sum(axis=1))
    units = np.divide(flags, lengths[:, None], out=flags, where=lengths[:, None] > 0)
    sizes = ((lists >= 0) & (lengths[lists] > 0)).sum(axis=1).astype(np.float64)
    alike = np.square(_summed(lists, units)).sum(axis=1) - sizes  # Σ over ordered pairs of cosines
    pairs = sizes * (sizes - 1.0)
    means = np.divide(alike, pairs, out=np.full(len(lists), np.nan), where=pairs > 0)
    return np.asarray(1.0 - means, np.float64)


def _summed(lists: Rows, values: Doubles) -> Doubles:
    """Returns the sum of (items, g) values over every list, (n, g), place by place for memory."""
    total = np.zeros((len(lists), values.shape[1]))
    for place in lists.T:
        total[place >= 0] += values[place[place >= 0]]
    return total


def _normalized(rows: Doubles) -> Doubles:
    totals = rows.sum(axis=1, keepdims=True)
    return np.asarray(
        np.divide(rows, totals, out=np.full_like(rows, np.nan), where=totals > 0), np.float64
    )


def _mean(values: Doubles) -> float:
    return float(values.mean()) if values.size else float("nan")
