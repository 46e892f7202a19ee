"""Blends ranking heads and compresses the blend to one inner product.

Every part is a linear map of a history, or is approximated by one. Their scores are brought to one
spread, weighted, and compressed together like item-to-item weights (`ease.compression`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.linear_encoder import EncoderRule
from scipy.sparse import csr_array

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.ease.compression import compress
from foldin_trainer.learning.ranking_heads.ease.trainer import encoder_ranking
from foldin_trainer.learning.ranking_heads.trained_head import Ranking

SAMPLED_USERS: Final = 500
"""The spread of a part is measured on the scores of this many users."""
SMALLEST: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The scores of a history H are n(H)^-γ Σ ρ(r_j) E_j·Yᵀ; E and Y are (n_items, d) float64."""

    inputs: Doubles
    items: Doubles
    rule: EncoderRule
    exponent: float

    @classmethod
    def of(cls, ranking: Ranking, ratings: Ratings) -> Self:
        """Returns a head that was trained on `ratings` as a part.

        A head with an encoder has this form. For a head that solves A(H) z = o + g(H), A(H) is
        replaced by its mean over users, and o is left out: popularity is added after blending.
        """
        vectors = ranking.vectors.astype(np.float64)
        if ranking.encoder is not None:
            encoder = ranking.encoder
            return cls(encoder.vectors.astype(np.float64), vectors, encoder.rule, encoder.exponent)
        rule = ranking.rule
        weights = np.bincount(ratings.items, rule.weight(ratings.values), len(vectors))
        users = len(np.unique(ratings.users))
        mean = (vectors * (weights / users)[:, None]).T @ vectors + np.eye(vectors.shape[1])
        products = np.multiply(rule.weights, rule.targets).tolist()
        inputs = np.asarray(np.linalg.solve(mean, vectors.T).T, np.float64)
        return cls(inputs, vectors, EncoderRule(rule.knots, tuple(products)), 0.0)

    def times(self, vectors: Doubles) -> Doubles:
        """Returns E·Yᵀ·vectors for (n_items, k)."""
        return np.asarray(self.inputs @ (self.items.T @ vectors), np.float64)

    def transposed_times(self, vectors: Doubles) -> Doubles:
        """Returns Y·Eᵀ·vectors for (n_items, k)."""
        return np.asarray(self.items @ (self.inputs.T @ vectors), np.float64)

    def spread(self, histories: "Histories") -> float:
        """Returns the mean standard deviation of a user's scores."""
        sampled = histories.of(self.rule, self.exponent)[:SAMPLED_USERS]
        scores = (sampled @ self.inputs) @ self.items.T
        return max(float(scores.std(axis=1).mean()), SMALLEST)


class Histories:
    """The ratings of users as rows of a matrix, for any function of a rating's value."""

    def __init__(self, ratings: Ratings) -> None:
        self._ratings = ratings
        self.users, self._places = np.unique(ratings.users, return_inverse=True)
        self.sizes = np.bincount(self._places).astype(np.float64)

    def of(self, rule: EncoderRule, exponent: float = 0.0) -> csr_array:
        """Returns n^-γ ρ(r), (n_users, n_items)."""
        ratings = self._ratings
        values = rule.factor(ratings.values) * (self.sizes**-exponent)[self._places]
        shape = (len(self.users), len(ratings.item_ids))
        matrix = csr_array((values, (self._places, ratings.items)), shape=shape)
        matrix.sort_indices()
        return matrix


def blend(
    parts: Sequence[Part], weights: Sequence[float], ratings: Ratings, dimension: int, seed: int
) -> Ranking:
    """Returns the head of `dimension` dimensions whose scores are weighted sums of the parts'.

    The factor of a rating is the weighted sum of the parts' factors, each scaled to size 1, and the
    exponent the weighted sum of theirs: exact for parts with the same factors and exponent. Scores
    have the spread of the first part. Equal input gives equal bits on one machine.
    """
    total = sum(weights)
    pairs = [(part, w / total) for part, w in zip(parts, weights, strict=True) if w > 0.0]
    histories = Histories(ratings)
    level = pairs[0][0].spread(histories)
    exponent = sum(weight * part.exponent for part, weight in pairs)
    length = float(np.exp(np.log(histories.sizes).mean()))
    knots = sorted({knot for part, _ in pairs for knot in part.rule.knots})
    factors = np.zeros(len(knots))
    inputs = []
    for part, weight in pairs:
        size = max(float(np.sqrt((part.rule.factor(ratings.values) ** 2).mean())), SMALLEST)
        factors += weight * part.rule.factor(knots) / size
        scale = weight * level / part.spread(histories) * size
        inputs.append(part.inputs * scale * length ** (exponent - part.exponent))
    rule = EncoderRule(tuple(knots), tuple(factors.tolist()))
    whole = Part(np.hstack(inputs), np.hstack([part.items for part, _ in pairs]), rule, exponent)
    counted = histories.of(rule)
    found = compress(whole, counted, dimension - 1, seed=seed)
    shares = histories.of(rule, exponent)
    return encoder_ranking(ratings, histories.users, shares, found, (rule, exponent))
