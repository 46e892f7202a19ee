"""One trained model as it is published and served: a retrieval matrix, two heads, a catalog.

The retrieval score of item i for user u is x_u·y_i + w·(c_i + p_u·q_i), one inner product of
concatenated vectors. A row of `items` is [y_i | c_i | q_i]; the weight w sits on the user's side.
"""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.fold_in.linear_encoder import LinearEncoder
from foldin_model.scale import Scale
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.content_map import ContentMap
from foldin_model.trained.uncertainty import Uncertainty


@dataclass(frozen=True, slots=True, eq=False)
class ItemRows:
    """All rows of a model for (n,) items, float32, in four matrices.

    `items` and `similarity` are as in `Model`; the encoders' vectors have width 0 where the model
    has no such encoder.
    """

    items: Floats
    ranking_encoder: Floats
    rating_encoder: Floats
    similarity: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """All that a server needs to recommend. It never changes.

    `items` is (n_items, d_ranking + 1 + d_rating) float32, C-contiguous; `similarity`
    (n_items, d_similar) float32 with rows of at most unit length, whose inner product is the
    similarity of two items. The two heads are views into `items`. The encoders of the heads, the
    uncertainty of predicted ratings and the map from contents to `item_rows` are None where a
    model has none.
    """

    catalog: Catalog
    items: Floats
    similarity: Floats
    scale: Scale
    rating_mean: float
    rating_weight: float
    ranking_prior: Doubles
    rating_prior: Doubles
    ranking_rule: RatingRule
    ranking_encoder: LinearEncoder | None = None
    rating_encoder: LinearEncoder | None = None
    uncertainty: Uncertainty | None = None
    content: ContentMap | None = None
    ranking: Head = field(init=False, repr=False)
    rating: Head = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cut = len(self.ranking_prior)
        no_offsets = np.zeros(len(self.items), np.float32)
        ranking = Head(
            self.items[:, :cut],
            no_offsets,
            0.0,
            self.ranking_prior,
            self.ranking_rule,
            self.ranking_encoder,
        )
        ends = (self.scale.low, self.scale.high)
        rating = Head(
            self.items[:, cut + 1 :],
            self.items[:, cut],
            self.rating_mean,
            self.rating_prior,
            RatingRule(knots=ends, weights=(1.0, 1.0), targets=ends),
            self.rating_encoder,
        )
        object.__setattr__(self, "ranking", ranking)
        object.__setattr__(self, "rating", rating)

    @property
    def dimension(self) -> int:
        """The width of the retrieval matrix."""
        return int(self.items.shape[1])

    def query(self, ranking_vector: Doubles, rating_vector: Doubles) -> Doubles:
        """Returns the (dimension,) query whose inner product with a row of `items` is its score."""
        weight = self.rating_weight
        return np.concatenate((ranking_vector, [weight], weight * rating_vector))

    def queries(self, ranking_vectors: Doubles, rating_vectors: Doubles) -> Doubles:
        """Returns the (m, dimension) queries of (m, d) vectors of both heads."""
        queries = np.empty((len(ranking_vectors), self.dimension))
        cut = ranking_vectors.shape[1]
        queries[:, :cut], queries[:, cut] = ranking_vectors, self.rating_weight
        np.multiply(self.rating_weight, rating_vectors, out=queries[:, cut + 1 :])
        return queries

    @property
    def item_rows(self) -> Floats:
        """All rows of the items side by side: items, both encoders, similarity.

        They are (n_items, width) float32; `split` takes such rows apart.
        """
        encoders = (
            encoder.vectors for encoder in (self.ranking_encoder, self.rating_encoder) if encoder
        )
        return np.hstack((self.items, *encoders, self.similarity))

    @property
    def item_widths(self) -> tuple[int, int, int, int]:
        """The widths of the parts of `item_rows`."""
        encoders = (self.ranking_encoder, self.rating_encoder)
        ranking, rating = (
            0 if encoder is None else encoder.vectors.shape[1] for encoder in encoders
        )
        return self.dimension, ranking, rating, self.similarity.shape[1]

    def split(self, rows: Floats) -> ItemRows:
        """Splits (n, width) rows laid out as `item_rows`. Raises ValueError for another width."""
        ends = np.cumsum(self.item_widths)
        if rows.ndim != 2 or rows.shape[1] != ends[-1]:
            raise ValueError(f"rows of shape {rows.shape} are not {ends[-1]} wide")
        return ItemRows(*np.split(rows, ends[:-1], axis=1))

    def reordered(self, order: Integers) -> Self:
        """Returns the same model with the row that is now `order[i]` at row i."""
        encoders = self.ranking_encoder, self.rating_encoder
        ranking_encoder, rating_encoder = (
            encoder and encoder.reordered(order) for encoder in encoders
        )
        return replace(
            self,
            catalog=self.catalog.reordered(order),
            items=self.items[order],
            similarity=self.similarity[order],
            ranking_encoder=ranking_encoder,
            rating_encoder=rating_encoder,
            uncertainty=self.uncertainty and self.uncertainty.reordered(order),
        )
