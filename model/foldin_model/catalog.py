"""The items that a model knows: ids, titles, genres, years, clusters and counts of ratings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from foldin_model.arrays import Floats, Integers, Rows
from foldin_model.ids import ItemId


@dataclass(frozen=True, slots=True)
class Cluster:
    """Items that the same users like; numbered from 1."""

    id: int
    name: str
    genres: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """One entry a row, in row order. A missing title is "", a missing year None.

    `rating_counts` is (n,) int64, `rating_means` (n,) float32 with NaN where nothing was rated,
    `cluster_ids` (n,) int32, numbered from 1.
    """

    item_ids: tuple[ItemId, ...]
    titles: tuple[str, ...]
    genres: tuple[tuple[str, ...], ...]
    years: tuple[int | None, ...]
    rating_counts: Integers
    rating_means: Floats
    cluster_ids: Rows
    clusters: tuple[Cluster, ...]
    _rows: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {id_: row for row, id_ in enumerate(self.item_ids)})

    def __len__(self) -> int:
        return len(self.item_ids)

    def row(self, item_id: str) -> int | None:
        """The row of an item, or None where the model lacks it."""
        return self._rows.get(item_id)

    def rows(self, item_ids: Iterable[str]) -> Rows:
        """The rows of those items that the model has, in the order given."""
        found = (self._rows.get(item_id) for item_id in item_ids)
        return np.fromiter((row for row in found if row is not None), np.int32)

    def reordered(self, order: Integers) -> Self:
        """The same items with the row that is now `order[i]` at row i."""
        rows = order.tolist()
        return replace(
            self,
            item_ids=tuple(self.item_ids[row] for row in rows),
            titles=tuple(self.titles[row] for row in rows),
            genres=tuple(self.genres[row] for row in rows),
            years=tuple(self.years[row] for row in rows),
            rating_counts=self.rating_counts[order],
            rating_means=self.rating_means[order],
            cluster_ids=self.cluster_ids[order],
        )
