"""The catalog: ids, titles, genres, years, clusters and rating counts of a model's items."""

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, field, replace
from typing import Final, Self, overload

import numpy as np

from foldin_model.arrays import Floats, Integers, Rows
from foldin_model.texts.text_array import HashTableRows, RowsById, Texts, offsets_of

NO_YEAR: Final = int(np.iinfo(np.int32).min)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of items that the same users like; numbered from 1."""

    id: int
    name: str
    genres: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Years(Sequence[int | None]):
    """Years as (n,) int32 `numbers`, NO_YEAR where one is missing."""

    numbers: Rows

    @classmethod
    def of(cls, years: Sequence[int | None]) -> Self:
        """Returns the same years, packed."""
        if isinstance(years, cls):
            return years
        numbers = [NO_YEAR if year is None else year for year in years]
        return cls(np.array(numbers, np.int32))

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> int | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int | None]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int | None] | None:
        if isinstance(index, slice):
            return Years(self.numbers[index])
        number = int(self.numbers[index])
        return None if number == NO_YEAR else number


@dataclass(frozen=True, slots=True, eq=False)
class Genres(Sequence[tuple[str, ...]]):
    """The genres of n items: those of item i are `names` of `codes[offsets[i]:offsets[i + 1]]`."""

    names: Sequence[str]
    codes: Rows
    offsets: Integers

    @classmethod
    def of(cls, genres: Sequence[tuple[str, ...]]) -> Self:
        """Returns the same genres, packed, with the names sorted."""
        if isinstance(genres, cls):
            return genres
        names = sorted({genre for of_item in genres for genre in of_item})
        codes = {genre: code for code, genre in enumerate(names)}
        flat = np.array([codes[genre] for of_item in genres for genre in of_item], np.int32)
        return cls(names, flat, offsets_of(map(len, genres)))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, ...] | Sequence[tuple[str, ...]]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        codes = self.codes[self.offsets[place] : self.offsets[place + 1]]
        return tuple(self.names[code] for code in codes.tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """A model's items, one entry a row. A missing title is "", a missing year None.

    `rating_counts` is (n,) int64, `rating_means` (n,) float32 with NaN for items without ratings,
    `cluster_ids` (n,) int32, numbered from 1, 0 for items without a cluster. `id_rows` finds the
    rows of the ids; without it a table is made. Items at the `unavailable` rows, increasing, are
    not shown; items at the `described` rows have vectors from their content alone.
    """

    item_ids: Sequence[str]
    titles: Sequence[str]
    genres: Sequence[tuple[str, ...]]
    years: Sequence[int | None]
    rating_counts: Integers
    rating_means: Floats
    cluster_ids: Rows
    clusters: tuple[Cluster, ...]
    id_rows: InitVar[RowsById | None] = None
    unavailable: Rows = field(default_factory=lambda: np.zeros(0, np.int32))
    described: frozenset[int] = frozenset()
    _rows: RowsById = field(init=False, repr=False)

    def __post_init__(self, id_rows: RowsById | None) -> None:
        object.__setattr__(self, "_rows", id_rows or HashTableRows.of(self.item_ids))

    def __len__(self) -> int:
        return len(self.item_ids)

    def row(self, item_id: str) -> int | None:
        """Returns the row of an item, or None where the model lacks it."""
        return self._rows.get(item_id)

    def rows(self, item_ids: Iterable[str]) -> Rows:
        """Returns the rows of the items that the model has, in the order of `item_ids`."""
        rows = self._rows.each(Texts.of(item_ids))
        return rows[rows >= 0].astype(np.int32)

    @property
    def rows_by_id(self) -> RowsById:
        """The table that finds the rows of ids."""
        return self._rows

    def is_available(self, row: int) -> bool:
        """Whether the item at a row may be shown."""
        place = int(np.searchsorted(self.unavailable, row))
        return place == len(self.unavailable) or int(self.unavailable[place]) != row

    def hiding(self, rows: Rows) -> Self:
        """Returns the same items with exactly those at `rows` (n,), increasing, unavailable."""
        return replace(self, id_rows=self._rows, unavailable=rows)

    def reordered(self, order: Integers) -> Self:
        """Returns the same items with the row that is now `order[i]` at row i."""
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
