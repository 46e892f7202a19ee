"""The matrix behind similar items: the inner product of two rows is their items' similarity.

It is made from the ranking head; `foldin_model.retrieval.similar_items` searches it.
"""

from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers

from foldin_trainer.learning.ranking_heads.trained_head import Ranking

SHRINKAGE: Final = 2.0


def similarity_rows(ranking: Ranking, rating_counts: Integers) -> Floats:
    """Returns rows (n, d) float32; items are similar if their scores agree over users.

    Item vectors are carried into the basis where the second moment of the user vectors is the
    identity, so that a cosine there is the correlation (about zero) of two items' scores over all
    users. This finds the next item that a user rates more often than cosines of the plain vectors.
    """
    users = ranking.user_vectors[np.any(ranking.user_vectors != 0.0, axis=1)]
    energies, basis = np.linalg.eigh(users.T @ users / len(users))
    roots = basis * np.sqrt(energies.clip(min=0.0))
    return shrunk_directions(ranking.vectors.astype(np.float64) @ roots, rating_counts)


def shrunk_directions(
    vectors: Doubles, rating_counts: Integers, shrinkage: float = SHRINKAGE
) -> Floats:
    """Returns directions of `vectors` (n, d), float32, with length n/(n + shrinkage) for n ratings.

    An item with few ratings is therefore never very similar to another, and one without ratings is
    similar to none.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    trust = rating_counts / (rating_counts + shrinkage)
    factors = np.divide(trust, lengths, out=np.zeros(len(lengths)), where=lengths > 0.0)
    return np.ascontiguousarray(vectors * factors[:, None], np.float32)
