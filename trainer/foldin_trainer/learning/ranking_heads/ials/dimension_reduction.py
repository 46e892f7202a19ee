"""Reduces a ranking head that solves for its users to fewer dimensions than were learned.

A user is then the best vector of a subspace, so that fold-in is the same least-squares problem in
fewer unknowns. Item-to-item weights are reduced by `ease.compression` instead.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles

from foldin_trainer.learning.ranking_heads.trained_head import Ranking

USER_EXPONENT: Final = 0.5
"""A user weighs the squared length of their vector to the power of minus this."""


def reduced(ranking: Ranking, dimension: int) -> Ranking:
    """Returns the head in at most `dimension` dimensions; the same head if it has no more.

    In the basis where the prior precision λI + α·YᵀY is the identity, the squared length of a user
    is the weighted sum of their squared scores. The principal directions of the users there are the
    truncated singular value decomposition of the scores, but for λ. The first direction is that of
    popularity: users without ratings are served by it, and it stays exactly as it is.
    """
    if ranking.vectors.shape[1] <= dimension:
        return ranking
    basis = _basis(ranking, dimension)
    return replace(
        ranking,
        vectors=(ranking.vectors.astype(np.float64) @ basis).astype(np.float32),
        popular=ranking.popular @ basis,
        user_vectors=ranking.user_vectors @ basis,
    )


def _basis(ranking: Ranking, dimension: int) -> Doubles:
    """Returns orthonormal columns (d, dimension)."""
    length = float(np.linalg.norm(ranking.popular))
    first = ranking.popular / max(length, 1e-12)
    sizes = np.square(ranking.user_vectors).sum(axis=1, keepdims=True)
    users = ranking.user_vectors * np.maximum(sizes, 1e-12) ** (-0.5 * USER_EXPONENT)
    users -= np.outer(users @ first, first)
    _, directions = np.linalg.eigh(users.T @ users)
    rest = directions[:, ::-1][:, : dimension - 1]
    return np.asarray(np.linalg.qr(np.column_stack((first, rest))).Q, np.float64)
