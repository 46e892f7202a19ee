"""The vectors of a new item from its content, under one version.

A model with a content map computes them. Under another model they are the mean of the items of the
same genres, or of all items where no genre is known.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Rows
from foldin_model.overlay.item_fold_in import ItemSpread
from foldin_model.trained.content_map import Content
from foldin_model.trained.model import ItemRows
from foldin_model.trained.snapshot import Snapshot

SAMPLED_ROWS: Final = 1_024
SPREAD_ROWS: Final = 512


class ContentVectors:
    """Computes vectors from contents for one version. Means of genres are computed once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._means: dict[str, Doubles] = {}
        self._spread: ItemSpread | None = None

    def rows(self, contents: Sequence[Content]) -> Floats:
        """Returns (n, width) float32 rows laid out as `Model.item_rows`, each item by itself.

        An embedding of another length than the version's is ignored.
        """
        model = self._snapshot.model
        if model.content is None:
            rows = np.array([self._of_genres(content) for content in contents], np.float32)
            return rows.reshape(len(contents), sum(model.item_widths))
        length = model.content.embedding_length
        return model.content.rows([_fitting(content, length) for content in contents])

    def parts(self, rows: Floats) -> ItemRows:
        """Splits such rows into their parts; similarity rows are cut to length 1."""
        parts = self._snapshot.model.split(rows)
        lengths = np.linalg.norm(parts.similarity, axis=1, keepdims=True)
        similarity = parts.similarity / np.maximum(lengths, np.float32(1))
        return ItemRows(parts.items, parts.ranking_encoder, parts.rating_encoder, similarity)

    @property
    def spread(self) -> ItemSpread:
        """How far the vectors of rated items lie from those that their content predicts.

        It is measured on at most SPREAD_ROWS items, evenly spaced.
        """
        if self._spread is None:
            catalog = self._snapshot.model.catalog
            sample = _evenly(np.flatnonzero(catalog.rating_counts > 0), SPREAD_ROWS)
            contents = [
                Content(catalog.titles[row], catalog.genres[row], catalog.years[row])
                for row in sample.tolist()
            ]
            predicted = self.parts(self.rows(contents)).items
            self._spread = ItemSpread.of(self._snapshot.model.items[sample], predicted)
        return self._spread

    def _of_genres(self, content: Content) -> Doubles:
        genres = sorted({genre.casefold() for genre in content.genres})
        found = [self._snapshot.genres.find(genre) for genre in genres]
        means = [
            self._mean(f"genre={genre}", rows)
            for genre, rows in zip(genres, found, strict=True)
            if len(rows)
        ]
        if not means:
            return self._mean("", np.arange(len(self._snapshot), dtype=np.int32))
        return np.asarray(np.mean(means, axis=0), np.float64)

    def _mean(self, name: str, rows: Rows) -> Doubles:
        if name not in self._means:
            model = self._snapshot.model
            sample = _evenly(rows, SAMPLED_ROWS)
            encoders = [
                encoder.vectors
                for encoder in (model.ranking_encoder, model.rating_encoder)
                if encoder
            ]
            matrices = (model.items, *encoders, model.similarity)
            means = [matrix[sample].astype(np.float64).mean(axis=0) for matrix in matrices]
            self._means[name] = np.concatenate(means)
        return self._means[name]


def _evenly(rows: "Rows | np.ndarray[tuple[int], np.dtype[np.int64]]", most: int) -> Rows:
    """Returns at most `most` of the rows, evenly spaced."""
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return rows.astype(np.int32)


def _fitting(content: Content, length: int) -> Content:
    if content.embedding is None or len(content.embedding) == length:
        return content
    return Content(content.title, content.genres, content.year, content.tags)
