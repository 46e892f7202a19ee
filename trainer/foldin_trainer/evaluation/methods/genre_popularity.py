"""A baseline for items without ratings: how popular the items of their genres are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Rows

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.metrics.cases import Case
from foldin_trainer.metrics.lists import lists_by_score


@dataclass(frozen=True, slots=True, eq=False)
class GenrePopularity:
    """Orders items by how often items of their genres were rated, the same for every user.

    `scores` (n_items,): the mean over an item's genres of the mean number of ratings of the rated
    items of the genre; the mean of all rated items if it has no known genre.
    """

    scores: Doubles
    name: str = "popularity of genre"

    @classmethod
    def fit(cls, ratings: Ratings, items: ItemTable) -> Self:
        """Returns the method with the genre counts of the training part."""
        counts = np.bincount(ratings.items, minlength=len(items))
        genres = sorted({genre for of_item in items.genres for genre in of_item})
        has = np.array([[genre in of_item for genre in genres] for of_item in items.genres])
        has = has.reshape(len(items), len(genres)).astype(np.float64)
        rated = counts > 0
        members = has[rated].sum(axis=0)
        means = has[rated].T @ counts[rated] / np.maximum(members, 1.0)
        known = has * (members > 0)
        sizes = known.sum(axis=1)
        scores = np.where(sizes > 0, known @ means / np.maximum(sizes, 1.0), counts[rated].mean())
        return cls(np.asarray(scores, np.float64))

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the unmasked items of the most popular genres."""
        items = len(self.scores)
        return lists_by_score(
            lambda part: np.tile(self.scores, (part.shape[0], 1)), cases, items, count
        )

    def predict(self, cases: Sequence[Case]) -> None:
        """Returns None: popularity predicts no rating."""
