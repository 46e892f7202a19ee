"""Groups items that the same users like, and names the groups for people.

Clusters are for browsing, for a cap on items of a kind and for plots: no score depends on them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.trained.catalog import Cluster
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from foldin_trainer.data.items import ItemTable

MOST_CLUSTERS: Final = 30
DECIMALS: Final = 6  # the precision of float32; directions that differ in less are the same
GENRES_IN_NAME: Final = 2
TITLES_IN_NAME: Final = 2
LATE_ARTICLE: Final = re.compile(r"(.+), (The|A|An)")


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """`ids` (n_items,) int32, numbered from 1 in order of size, and a description of each."""

    ids: Rows
    clusters: tuple[Cluster, ...]


def cluster_items(
    similarity: Floats, rating_counts: Integers, items: ItemTable, *, seed: int
) -> Clustering:
    """Returns clusters by K-Means on the directions of the rated items' similarity rows (n, d).

    An item weighs the root of its number of ratings, so that well-known items shape the groups. The
    largest cluster is number 1. There are about √(rated items / 2) clusters, at most 30 and no more
    than there are distinct directions. An item without ratings joins the cluster whose genres are
    most like its own. Equal input gives equal clusters on one machine.
    """
    rated = np.flatnonzero(rating_counts)
    labels = np.zeros(len(similarity), np.int32)
    labels[rated] = _kmeans(
        _directions(similarity[rated]), np.sqrt(rating_counts[rated].astype(np.float64)), seed
    )
    shares = _genre_shares(items.genres)
    profiles = _means(shares[rated], labels[rated])
    unrated = np.flatnonzero(rating_counts == 0)
    labels[unrated] = (_directions(shares[unrated]) @ _directions(profiles).T).argmax(axis=1)
    order = np.argsort(-np.bincount(labels, minlength=len(profiles)), kind="stable")
    ids = (np.argsort(order)[labels] + 1).astype(np.int32)
    described = (
        _describe(number, np.flatnonzero(ids == number), rating_counts, items)
        for number in range(1, len(profiles) + 1)
    )
    return Clustering(ids, tuple(described))


def _kmeans(directions: Doubles, weights: Doubles, seed: int) -> Rows:
    directions = np.round(directions, DECIMALS)
    different = len(np.unique(directions, axis=0))
    count = min(max(round(float(np.sqrt(len(directions) / 2))), 1), MOST_CLUSTERS, different)
    with threadpool_limits(1):  # the sums of several threads have no fixed order
        means = KMeans(count, n_init=1, random_state=seed)
        labels = means.fit_predict(directions, sample_weight=weights)
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def _describe(number: int, rows: Integers, rating_counts: Integers, items: ItemTable) -> Cluster:
    genres = _typical_genres(rows, np.sqrt(rating_counts + 1.0), items.genres)
    most_rated = rows[np.argsort(-rating_counts[rows], kind="stable")]
    titles = [_short(items.titles[row]) for row in most_rated.tolist() if items.titles[row]]
    name = " & ".join(genres) or f"Group {number}"
    if titles:
        name = f"{name}: {', '.join(titles[:TITLES_IN_NAME])}"
    return Cluster(id=number, name=name, genres=genres, size=len(rows))


def _short(title: str) -> str:
    """Returns a title as a name: "Usual Suspects, The (a.k.a. ...)" is "The Usual Suspects"."""
    bare = title.partition(" (")[0]
    match = LATE_ARTICLE.fullmatch(bare)
    return f"{match[2]} {match[1]}" if match else bare


def _typical_genres(
    rows: Integers, weights: Doubles, genres: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Returns the genres whose share inside exceeds their share in the whole catalog most."""
    names = sorted({genre for entry in genres for genre in entry})
    if not names:
        return ()
    shares = _genre_shares(genres)
    inside = np.average(shares[rows], axis=0, weights=weights[rows])
    excess = inside - np.average(shares, axis=0, weights=weights)
    order = np.argsort(-excess, kind="stable")[:GENRES_IN_NAME]
    return tuple(names[place] for place in order.tolist() if excess[place] >= 0.0)


def _genre_shares(genres: Sequence[tuple[str, ...]]) -> Doubles:
    """Returns one row an item, one column a genre, by alphabet: 1 where the item has it."""
    names = sorted({genre for entry in genres for genre in entry})
    columns = {name: column for column, name in enumerate(names)}
    table = np.zeros((len(genres), len(names)))
    for row, entry in enumerate(genres):
        table[row, [columns[genre] for genre in entry]] = 1.0
    return table


def _means(rows: Doubles, labels: Rows) -> Doubles:
    sums = np.zeros((int(labels.max()) + 1, rows.shape[1]))
    np.add.at(sums, labels, rows)
    return np.asarray(sums / np.bincount(labels)[:, None], np.float64)


def _directions(vectors: Doubles | Floats) -> Doubles:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-30), np.float64)
