"""Folds the first ratings of a new item into its vectors, with the vectors of the users held fixed.

It is the problem of `foldin_model.fold_in.fold_in` with the roles exchanged: the item stands around what
its content says, each coordinate as far from it as those of other items stand from what theirs
says, and every rating pulls by the rule of its head.
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
    """How far items stand from what their content says: (dimension,), a column of `Model.items`."""

    deviations: Doubles

    @classmethod
    def of(cls, items: Floats, predicted: Floats) -> "ItemSpread":
        """The root mean square of (n, dimension) differences; 0 where there is no item."""
        if len(items) == 0:
            return cls(np.zeros(items.shape[1]))
        differences = items.astype(np.float64) - predicted
        return cls(np.sqrt(np.mean(np.square(differences), axis=0)))


def fold_item(
    model: Model, spread: ItemSpread, content: Floats, ratings: Sequence[tuple[str, ItemRating]]
) -> Floats:
    """The (dimension,) float32 row of `Model.items` after the ratings, by user, of an item.

    `content` is its row by content alone, which it keeps without ratings. The result depends on
    the set of ratings, not on their order.
    """
    if not ratings:
        return content
    ordered = [rating for _, rating in sorted(ratings, key=lambda pair: pair[0])]
    values = np.array([rating.value for rating in ordered])
    cut = len(model.ranking_prior)
    row = content.astype(np.float64)
    tastes = np.array([rating.ranking_vector for rating in ordered])
    weights, targets = _ranking_wishes(model, values)
    row[:cut] = _moved(row[:cut], spread.deviations[:cut], tastes, weights, targets)
    leanings = np.array([[1.0, *rating.rating_vector] for rating in ordered])
    noise = NOISE_SHARE * (model.scale.high - model.scale.low)
    certainty = np.full(len(values), 1.0 / noise**2)
    wished = values - model.rating_mean
    row[cut:] = _moved(row[cut:], spread.deviations[cut:], leanings, certainty, wished)
    return row.astype(np.float32)


def _moved(
    centre: Doubles, deviations: Doubles, users: Doubles, weights: Doubles, targets: Doubles
) -> Doubles:
    """argmin_v Σ_u w_u (t_u − users_u·v)² + Σ_k ((v_k − centre_k) / deviation_k)²."""
    scaled = users * deviations
    moved = fold_exact(scaled, weights, targets - users @ centre, np.zeros(len(centre)))
    return centre + deviations * moved.vector


def _ranking_wishes(model: Model, values: Doubles) -> tuple[Doubles, Doubles]:
    """What each rating weighs in the ranking head and what score it asks for.

    A head that is nothing but an encoder has no weights: there a rating asks for what it counts.
    """
    head = model.ranking
    if head.encoder is not None and not head.kind.solves:
        return np.ones(len(values)), head.encoder.rule.factor(values)
    return head.rule.weight(values), head.rule.target(values)
