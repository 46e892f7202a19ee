"""The content of items as examples for an item-to-item model: made-up users of one interest.

Such rows beside those of real users (Jeunen et al. 2020) connect items that few users rated.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from scipy.sparse import csr_array

from foldin_trainer.data.items import ItemTable

YEARS_APART: Final = 2
"""Between the favorite years of two made-up users, and the deviation of their interest."""
YEAR_WEIGHT: Final = 2.0
GENRE_WEIGHT: Final = 1.0


def content_rows(items: ItemTable, weight: float) -> csr_array:
    """Returns one row a genre and one every second year, (n_rows, n_items), times `weight`.

    There are no rows for weight 0, or if the catalog has neither genres nor years.
    """
    rows = [*_of_genres(items), *_of_years(items)] if weight else []
    if not rows:
        return csr_array((0, len(items)), dtype=np.float64)
    return csr_array(weight * np.array(rows))


def _of_genres(items: ItemTable) -> Iterator[Doubles]:
    for genre in sorted({genre for genres in items.genres for genre in genres}):
        yield GENRE_WEIGHT * np.array([genre in genres for genres in items.genres], np.float64)


def _of_years(items: ItemTable) -> Iterator[Doubles]:
    years = np.array([np.nan if year is None else year for year in items.years], np.float64)
    known = years[np.isfinite(years)]
    if not len(known):
        return
    for favorite in np.arange(known.min(), known.max() + YEARS_APART, YEARS_APART):
        interest = np.exp(-0.5 * ((years - favorite) / YEARS_APART) ** 2)
        interest[~(interest > 1e-3)] = 0.0  # also where the year is unknown
        yield YEAR_WEIGHT * interest
