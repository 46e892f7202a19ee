"""Baselines that recommend alike to all users; every learned model has to beat them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.metrics.cases import Case
from foldin_trainer.metrics.lists import lists_by_score


@dataclass(frozen=True, slots=True, eq=False)
class Popularity:
    """Recommends the items with most ratings; `counts` is (items,). Predicts no rating."""

    counts: Integers
    name: str = "popularity"

    @classmethod
    def fit(cls, train: Ratings) -> Self:
        """Returns the method with the number of training ratings of every item."""
        return cls(_counts(train))

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the most rated items that are not given."""
        return _same_order_for_all(self.counts.astype(np.float64), cases, count)

    def predict(self, cases: Sequence[Case]) -> None:
        """Returns None: a count is not a rating."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemMean:
    """Predicts an item's mean rating, shrunk to the mean of all; `means` is (items,)."""

    means: Doubles
    name: str = "item mean"

    @classmethod
    def fit(cls, train: Ratings, damping: float = 5.0) -> Self:
        """Returns the method with item means (Σ r + damping · μ) / (n + damping)."""
        mean = float(train.values.mean())
        sums = np.bincount(train.items, train.values, minlength=len(train.item_ids))
        return cls((sums + damping * mean) / (_counts(train) + damping))

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the items of the highest mean that are not given."""
        return _same_order_for_all(self.means, cases, count)

    def predict(self, cases: Sequence[Case]) -> Doubles:
        """Returns the item's mean, the same for every user."""
        return self.means.take(np.concatenate([case.hidden_rows for case in cases]))


def _counts(train: Ratings) -> Integers:
    return np.bincount(train.items, minlength=len(train.item_ids)).astype(np.int64)


def _same_order_for_all(scores: Doubles, cases: Sequence[Case], count: int) -> Rows:
    return lists_by_score(
        lambda histories: np.broadcast_to(scores, histories.shape), cases, len(scores), count
    )
