"""The content of an item, and the linear map from contents to the vectors of items.

An item without ratings gets its vectors from its title, genres, year and tags (Gantner et al. 2010,
"Learning attribute-to-feature mappings for cold-start recommendations"). The trainer learns the
map.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np

from foldin_model.arrays import Floats

YEARS_A_KNOT: Final = 3
SHORTEST_WORD: Final = 3
_WORD: Final = re.compile(r"\w+")
# Sizes of features beside a genre's 1. The regression has one penalty for all features, so that a
# feature of half the size has a prior variance four times smaller.
_PAIR: Final = 0.7
_WORD_SIZE: Final = 0.5
_TAG: Final = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """All that is known of an item besides ratings.

    `embedding` is (length,) float32 of any origin.
    """

    title: str = ""
    genres: tuple[str, ...] = ()
    year: int | None = None
    tags: tuple[str, ...] = ()
    embedding: Floats | None = None

    def features(self) -> dict[str, float]:
        """Returns sparse features by name; the order of words does not matter.

        A year lies between two knots and is split between them by its distance.
        """
        genres = sorted({genre.casefold() for genre in self.genres})
        found = {f"genre={genre}": 1.0 for genre in genres}
        found |= {f"genres={a}+{b}": _PAIR for a, b in combinations(genres, 2)}
        found |= {f"tag={tag.casefold()}": _TAG for tag in self.tags}
        words = _WORD.findall(self.title.casefold())
        found |= {f"word={word}": _WORD_SIZE for word in words if len(word) >= SHORTEST_WORD}
        if self.year is not None:
            below, past = divmod(self.year, YEARS_A_KNOT)
            share = past / YEARS_A_KNOT
            found[f"year={below * YEARS_A_KNOT}"] = 1.0 - share
            if share:
                found[f"year={(below + 1) * YEARS_A_KNOT}"] = share
        return found


@dataclass(frozen=True, slots=True, eq=False)
class ContentMap:
    """vector(i) = intercept + Σ_f x_if · weights[f] + embedding_i · embedding_weights.

    `names` are the features in increasing order; `weights` (n_features, width), `intercept`
    (width,) and `embedding_weights` (length, width) are float32. The width is that of
    `foldin_model.trained.model.Model.item_rows`. An unknown feature and a missing embedding add
    nothing.
    """

    names: Sequence[str]
    weights: Floats
    embedding_weights: Floats
    intercept: Floats
    _columns: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_columns", {name: n for n, name in enumerate(self.names)})

    @property
    def width(self) -> int:
        """The width of one item's row."""
        return len(self.intercept)

    @property
    def embedding_length(self) -> int:
        """The length that embeddings must have; 0 where the map was learned without."""
        return len(self.embedding_weights)

    def rows(self, contents: Sequence[Content]) -> Floats:
        """Returns the rows (n, width) float32 of the items, each computed by itself.

        Raises ValueError for an embedding of another length than `embedding_length`.
        """
        return np.array([self._row(content) for content in contents], np.float32).reshape(
            len(contents), self.width
        )

    def _row(self, content: Content) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        row = self.intercept.astype(np.float64)
        for name, size in sorted(content.features().items()):
            column = self._columns.get(name)
            if column is not None:
                row += size * self.weights[column]
        if content.embedding is not None:
            if len(content.embedding) != self.embedding_length:
                raise ValueError(
                    f"the embedding has {len(content.embedding)} numbers; "
                    f"this model was trained with {self.embedding_length}"
                )
            row += content.embedding.astype(np.float64) @ self.embedding_weights
        return row
