"""Learns the map from the content of items to their vectors, by ridge regression.

Every number of a vector is regressed by itself on genres, pairs of genres, years, tags, words of
titles and, where there is one, an embedding (Gantner et al. 2010). An item's weight grows with its
number of ratings.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.trained.content_map import Content, ContentMap
from foldin_model.trained.model import Model
from scipy import linalg, sparse

from foldin_trainer.data.items import ItemTable

FEWEST_ITEMS: Final = 3
"""Items that must share a feature for it to be learned."""
MOST_FEATURES: Final = 6_000
HALF_WEIGHT_RATINGS: Final = 5.0
"""With this many ratings an item has half of the largest weight."""
PENALTIES: Final = (1.0, 3.0, 10.0, 30.0, 100.0)
HELD_OUT: Final = 5
"""One in this many items is held out to choose the penalty."""


def with_content(model: Model, items: ItemTable, *, rating: bool, seed: int) -> Model:
    """Returns the model with a content map, which gives vectors to items without ratings.

    `items` are those of the catalog, in order. Without `rating` the rating head's vectors stay as
    they are: it knows the content of items without ratings itself.
    """
    contents = contents_of(items)
    rows = model.item_rows
    counts = model.catalog.rating_counts
    content = fit_content(rows, contents, counts, seed=seed)
    unrated = np.flatnonzero(counts == 0)
    rows[unrated] = content.rows([contents[row] for row in unrated.tolist()])
    found = model.split(rows)
    similar = found.similarity[unrated]
    found.similarity[unrated] = similar / np.maximum(1.0, _lengths(similar))
    ranking_encoder, rating_encoder = model.ranking_encoder, model.rating_encoder
    if ranking_encoder is not None:
        ranking_encoder = replace(
            ranking_encoder, vectors=np.ascontiguousarray(found.ranking_encoder)
        )
    if rating_encoder is not None and rating:
        rating_encoder = replace(rating_encoder, vectors=np.ascontiguousarray(found.rating_encoder))
    vectors = np.ascontiguousarray(found.items)
    if not rating:
        cut = len(model.ranking_prior)
        vectors[:, cut:] = model.items[:, cut:]
    return replace(
        model,
        items=vectors,
        similarity=np.ascontiguousarray(found.similarity),
        ranking_encoder=ranking_encoder,
        rating_encoder=rating_encoder,
        content=content,
    )


def contents_of(items: ItemTable) -> list[Content]:
    """Returns the content of every item: all that is known of it besides ratings."""
    columns = (items.titles, items.genres, items.years, items.tags, items.embeddings)
    return [Content(*known) for known in zip(*columns, strict=True)]


def fit_content(
    rows: Floats, contents: Sequence[Content], counts: Integers, *, seed: int
) -> ContentMap:
    """Returns the map that predicts `rows` (n_items, width) best from the items' contents.

    It learns from items with ratings, `counts` (n_items,), with the penalty that is best on
    held-out items. Embeddings are used if every such item has one of the same length.
    """
    rated = np.flatnonzero(counts > 0)
    warm = [contents[row] for row in rated.tolist()]
    length = _embedding_length(warm)
    known = [content.features() for content in warm]
    names = _frequent(known)
    inputs = _inputs(known, names)
    if length:
        embeddings = np.array([content.embedding for content in warm], np.float64)
        dense = sparse.csr_array(embeddings / _scale(embeddings))
        inputs = sparse.csr_array(sparse.hstack([inputs, dense]))
    sure = counts[rated] / (counts[rated] + HALF_WEIGHT_RATINGS)
    penalty = _chosen_penalty(inputs, rows[rated], sure, seed)
    weights, intercept = _ridge(inputs, rows[rated].astype(np.float64), sure, penalty)
    if length:
        weights[len(names) :] /= _scale(embeddings)
    return ContentMap(
        names=tuple(names),
        weights=weights[: len(names)].astype(np.float32),
        embedding_weights=weights[len(names) :].astype(np.float32),
        intercept=intercept.astype(np.float32),
    )


def _lengths(rows: Floats) -> Floats:
    return np.asarray(np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _embedding_length(contents: Sequence[Content]) -> int:
    lengths = {0 if c.embedding is None else len(c.embedding) for c in contents}
    return lengths.pop() if len(lengths) == 1 else 0


def _scale(embeddings: Doubles) -> float:
    """Returns the root mean square length, by which embeddings are divided to weigh as a genre."""
    return float(np.sqrt((embeddings**2).sum(axis=1).mean())) or 1.0


def _frequent(known: Sequence[dict[str, float]]) -> list[str]:
    """Returns the features that enough items have, sorted; if too many, the most frequent."""
    found = Counter(name for features in known for name in features)
    shared = [(-count, name) for name, count in found.items() if count >= FEWEST_ITEMS]
    return sorted(name for _, name in sorted(shared)[:MOST_FEATURES])


def _inputs(known: Sequence[dict[str, float]], names: Sequence[str]) -> sparse.csr_array:
    columns = {name: column for column, name in enumerate(names)}
    entries = [
        (row, columns[name], size)
        for row, features in enumerate(known)
        for name, size in features.items()
        if name in columns
    ]
    of, within, sizes = np.array(entries, np.float64).reshape(-1, 3).T
    shape = (len(known), len(names))
    return sparse.csr_array((sizes, (of.astype(np.int64), within.astype(np.int64))), shape=shape)


def _chosen_penalty(inputs: sparse.csr_array, rows: Floats, sure: Doubles, seed: int) -> float:
    """Returns the penalty with the least weighted squared error on a fifth of the items."""
    parts = np.random.default_rng(seed).permutation(len(rows)) % HELD_OUT
    held, kept = np.flatnonzero(parts == 0), np.flatnonzero(parts != 0)
    if not len(held) or not len(kept):
        return PENALTIES[len(PENALTIES) // 2]

    def error(penalty: float) -> float:
        weights, intercept = _ridge(
            inputs[kept], rows[kept].astype(np.float64), sure[kept], penalty
        )
        missed = inputs[held] @ weights + intercept - rows[held]
        return float((sure[held] @ missed**2).sum())

    return min(PENALTIES, key=error)


def _ridge(
    inputs: sparse.csr_array, targets: Doubles, sure: Doubles, penalty: float
) -> tuple[Doubles, Doubles]:
    """Returns weights (n_features, width) and the intercept (width,), the weighted mean."""
    intercept = sure @ targets / sure.sum()
    weighted = inputs * sure[:, None]
    normal = (weighted.T @ inputs).toarray()
    normal.flat[:: len(normal) + 1] += penalty
    right = np.asarray(weighted.T @ (targets - intercept))
    if not len(normal):
        return np.zeros((0, targets.shape[1])), intercept
    factor = linalg.cho_factor(normal, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(linalg.cho_solve(factor, right, check_finite=False)), intercept
