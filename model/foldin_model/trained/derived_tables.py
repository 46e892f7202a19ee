"""Tables derived from a model: bounds for search, titles and genres for look-up.

A publisher computes them once and stores them with the model, so that a server maps them instead
of computing them at every start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from foldin_model.index.bounds import Bounds
from foldin_model.texts.text_array import Postings
from foldin_model.texts.title_search import TitleIndex
from foldin_model.trained.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class DerivedTables:
    """Bounds of both matrices, and the items by title and by case-folded genre.

    `index` are the (bytes,) uint8 of an approximate index over the items, where there is one.
    """

    item_bounds: Bounds
    similarity_bounds: Bounds
    titles: TitleIndex
    genres: Postings
    index: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None" = None

    @classmethod
    def of(cls, model: Model) -> Self:
        """Computes all tables but the approximate index."""
        catalog = model.catalog
        return cls(
            item_bounds=Bounds.of(model.items, len(model.ranking_prior)),
            similarity_bounds=Bounds.of(model.similarity, model.similarity.shape[1]),
            titles=TitleIndex.build(catalog.titles, catalog.rating_counts),
            genres=genre_postings(catalog.genres),
        )


def genre_postings(genres: Sequence[tuple[str, ...]]) -> Postings:
    """Returns the rows of each case-folded genre, from the genres of (n,) items."""
    rows: dict[str, dict[int, None]] = {}
    for row, of_item in enumerate(genres):
        for genre in of_item:
            rows.setdefault(genre.casefold(), {})[row] = None
    return Postings.of({genre: list(having) for genre, having in rows.items()})
