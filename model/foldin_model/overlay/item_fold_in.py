"""Folds the first ratings of a new item into its vectors, with the users' vectors held fixed.

It is the problem of `foldin_model.fold_in.fold_in` with the roles exchanged. The prior mean is the
vector that the content predicts; each coordinate's prior deviation is that of other items from
their predictions; each rating pulls by the rule of its head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats
from foldin_model.fold_in.fold_in import fold_exact
from foldin_model.records.item_overlay import ItemRating
from foldin_model.trained.model import Model

NOISE_SHARE: Final = 0.2
"""The standard deviation of a rating around its prediction, as a share of the scale."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemSpread:
    """How far items lie from what their content predicts, for each column of `Model.items`.

    `deviations` is (dimension,).
    """

    deviations: Doubles

    @classmethod
    def of(cls, items: Floats, predicted: Floats) -> "ItemSpread":
        """Returns the root mean square of (n, dimension) differences; 0 without items."""
        if len(items) == 0:
            return cls(np.zeros(items.shape[1]))
        differences = items.astype(np.float64) - predicted
        return cls(np.sqrt(np.mean(np.square(differences), axis=0)))


def fold_item(
    model: Model, spread: ItemSpread, content: Floats, ratings: Sequence[tuple[str, ItemRating]]
) -> Floats:
    """Returns the (dimension,) float32 row of `Model.items` of an item after its ratings, by user.

    `content` is its row from content alone, which it keeps without ratings. The result depends on
    the set of ratings, not on their order.
    """
    if not ratings:
        return content
    ordered = [rating for _, rating in sorted(ratings, key=lambda pair: pair[0])]
    values = np.array([rating.value for rating in ordered])
    cut = len(model.ranking_prior)
    row = content.astype(np.float64)
    ranking_users = np.array([rating.ranking_vector for rating in ordered])
    weights, targets = _ranking_pulls(model, values)
    row[:cut] = _solved(row[:cut], spread.deviations[:cut], ranking_users, weights, targets)
    rating_users = np.array([[1.0, *rating.rating_vector] for rating in ordered])
    noise = NOISE_SHARE * (model.scale.high - model.scale.low)
    rating_weights = np.full(len(values), 1.0 / noise**2)
    rating_targets = values - model.rating_mean
    row[cut:] = _solved(
        row[cut:], spread.deviations[cut:], rating_users, rating_weights, rating_targets
    )
    return row.astype(np.float32)


def _solved(
    center: Doubles, deviations: Doubles, users: Doubles, weights: Doubles, targets: Doubles
) -> Doubles:
    """Returns argmin_v Σ_u w_u (t_u − users_u·v)² + Σ_k ((v_k − center_k) / deviation_k)²."""
    scaled = users * deviations
    solution = fold_exact(scaled, weights, targets - users @ center, np.zeros(len(center)))
    return center + deviations * solution.vector


def _ranking_pulls(model: Model, values: Doubles) -> tuple[Doubles, Doubles]:
    """Returns the weight and the target score of each rating in the ranking head.

    A head of the kind `encoder` has no weights: there the target is the rating's factor.
    """
    head = model.ranking
    if head.encoder is not None and not head.kind.solves:
        return np.ones(len(values)), head.encoder.rule.factor(values)
    return head.rule.weight(values), head.rule.target(values)
