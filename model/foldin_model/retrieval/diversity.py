"""Trades score for variety in a list: greedy maximal marginal relevance, and a cap per cluster.

After Carbonell & Goldstein (SIGIR 1998). It reorders and thins out a window of hits and adds none.
"""

from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.retrieval.search import Hits
from foldin_model.trained.snapshot import Snapshot

WINDOW: Final = 500
NO_CLUSTER: Final = 0  # clusters are numbered from 1; new items have none


def diversify(snapshot: Snapshot, hits: Hits, strength: float, max_per_cluster: int) -> Rows:
    """Returns rows of `hits` in the order in which they are to be shown.

    Each next row has the greatest (1 − strength)·score − strength·(similarity to the most similar
    row before it), scores scaled to 0..1 over the window; at strength 0 that is the score order.
    Rows of a cluster beyond `max_per_cluster` are left out; 0 means no cap, and rows without a
    cluster are never left out. Time and memory grow with the square of the hits; callers pass at
    most WINDOW.
    """
    clusters = snapshot.model.catalog.cluster_ids[hits.rows]
    vectors = snapshot.model.similarity[hits.rows].astype(np.float64)
    likeness = _cosines(vectors) if strength > 0 else np.zeros((len(hits), len(hits)))
    value = (1.0 - strength) * _scaled(hits.scores)
    nearest = np.zeros(len(hits))
    open_ = np.ones(len(hits), np.bool_)
    chosen: list[int] = []
    while open_.any():
        best = int(np.argmax(np.where(open_, value - strength * nearest, -np.inf)))
        nearest = np.maximum(nearest, likeness[best]) if chosen else likeness[best]
        chosen.append(best)
        open_[best] = False
        same = clusters == clusters[best]
        capped = max_per_cluster > 0 and clusters[best] != NO_CLUSTER
        if capped and np.count_nonzero(same[chosen]) == max_per_cluster:
            open_ &= ~same
    return hits.rows[chosen]


def _scaled(scores: Doubles) -> Doubles:
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    return (scores - low) / (high - low) if high > low else np.zeros(len(scores))


def _cosines(vectors: Doubles) -> Doubles:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths > 0, lengths, 1.0)
    return units @ units.T
