"""Compresses item-to-item weights into one inner product of a few dimensions.

Score = h·B ≈ (h·E)·Yᵀ keeps the directions along which the scores of real histories differ most:
the singular value decomposition is that of the users' scores, not of B.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from scipy.sparse import csr_array

from foldin_trainer.learning.ranking_heads.ease.item_weights import ItemWeights

SPARE: Final = 32
"""Directions that are iterated beside the ones that are kept."""
ROUNDS: Final = 8
MOST_USERS: Final = 32_768
"""More users are sampled: their scores differ along the same directions."""

USER_EXPONENT: Final = 0.75
"""A user's scores weigh the number of their ratings to the power of minus this.

Otherwise a few long histories would take most of the dimensions: on validation users of
ml-latest-small the gain is 4% of NDCG@10.
"""
ITEM_EXPONENT: Final = 0.25
"""An item's scores weigh its number of ratings to the power of this."""


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """`inputs` E and `items` Y, both (n_items, d) float64: h·B ≈ (h·E)·Yᵀ."""

    inputs: Doubles
    items: Doubles


def compress(
    weights: ItemWeights, histories: csr_array, dimension: int, *, seed: int = 0
) -> Compressed:
    """Returns the best `dimension` dimensions for the scores of (n_users, n_items) histories.

    Found by subspace iteration with Rayleigh-Ritz (Halko, Martinsson & Tropp 2011). Exact if the
    scores have no more dimensions than this.
    """
    counts = np.bincount(histories.indices, minlength=histories.shape[1])
    importance = np.asarray((counts + 1.0) ** ITEM_EXPONENT, np.float64)
    sizes = np.maximum(np.diff(histories.indptr), 1).astype(np.float64)
    users = csr_array(histories.multiply(sizes[:, None] ** -USER_EXPONENT))
    if users.shape[0] > MOST_USERS:
        chosen = np.random.default_rng(seed).permutation(users.shape[0])[:MOST_USERS]
        users = csr_array(users[np.sort(chosen)])
    basis = _directions(weights, users, importance, dimension, seed)
    return Compressed(
        inputs=weights.times(importance[:, None] * basis), items=basis / importance[:, None]
    )


def _directions(
    weights: ItemWeights, users: csr_array, importance: Doubles, count: int, seed: int
) -> Doubles:
    """Returns the first right singular vectors of users·B·diag(importance), (n_items, count)."""
    scale = importance[:, None]
    items = users.shape[1]
    width = min(count + SPARE, items)
    start = np.random.default_rng(seed).normal(size=(items, width))
    basis = np.linalg.qr(start).Q
    for _ in range(ROUNDS):
        scores = users @ weights.times(scale * basis)
        basis = np.linalg.qr(scale * weights.transposed_times(users.T @ scores)).Q
    scores = users @ weights.times(scale * basis)
    # Both forms have the whole rotation; the full one also has a left factor of users by users.
    _, _, rotation = np.linalg.svd(scores, full_matrices=len(scores) < width)
    found = np.asarray(basis @ rotation[:count].T, np.float64)
    return np.pad(found, ((0, 0), (0, count - found.shape[1])))
