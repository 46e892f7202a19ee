"""Published rankers for comparison, never served: EASE and implicit ALS.

EASE (Steck 2019) uses the smaller of its Gram matrices; implicit ALS (Hu et al. 2008) is that of
the `implicit` library. Both take every rating as a 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Rows
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.metrics.cases import Case
from foldin_trainer.metrics.lists import lists_by_score


@dataclass(frozen=True, slots=True, eq=False)
class Ease:
    """A linear item-to-item model whose weights have a closed form.

    P = (XᵀX + λI)⁻¹, score = x − (x P) / diag(P). If the data has fewer users than items, P is kept
    as (I − Xᵀ(XXᵀ + λI)⁻¹X) / λ, which needs no item by item matrix.
    """

    interactions: csr_array
    inverse: Doubles
    diagonal: Doubles
    regularization: float
    name: str = "EASE"

    @classmethod
    def fit(cls, train: Ratings, regularization: float) -> Self:
        """Returns the model solved for the 0/1 matrix of the training ratings."""
        matrix = interactions(train)
        gram = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
        dense = gram.toarray()
        dense.flat[:: len(dense) + 1] += regularization
        inverse = np.asarray(np.linalg.inv(dense), np.float64)
        if len(inverse) == matrix.shape[1]:
            return cls(matrix, inverse, np.diag(inverse).copy(), regularization)
        weighted = np.asarray((matrix.T @ inverse).T)
        diagonal = (1.0 - np.asarray(matrix.multiply(weighted).sum(axis=0))) / regularization
        return cls(matrix, inverse, diagonal, regularization)

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the best items by x·B, B the zero-diagonal weights."""
        return lists_by_score(self._scores, cases, len(self.diagonal), count)

    def predict(self, cases: Sequence[Case]) -> None:
        """Returns None: EASE only orders items."""

    def _scores(self, histories: csr_array) -> Doubles:
        if len(self.inverse) == len(self.diagonal):
            images = np.asarray(histories @ self.inverse)
        else:
            kernel = (histories @ self.interactions.T).toarray() @ self.inverse
            images = (histories.toarray() - kernel @ self.interactions) / self.regularization
        return np.asarray(histories.toarray() - images / self.diagonal, np.float64)


@dataclass(frozen=True, slots=True)
class AlsSettings:
    """Settings of implicit ALS; `alpha` is the confidence of a rating, 1 that of a missing one."""

    factors: int = 64
    regularization: float = 10.0
    alpha: float = 10.0
    iterations: int = 15


@dataclass(frozen=True, slots=True, eq=False)
class ImplicitAls:
    """Matrix factorization on implicit feedback; a case's user is solved with fixed items."""

    model: AlternatingLeastSquares
    settings: AlsSettings
    items: int
    name: str = "implicit ALS"

    @classmethod
    def fit(cls, train: Ratings, settings: AlsSettings, *, seed: int = 0) -> Self:
        """Returns the library's model trained on the 0/1 matrix."""
        matrix = csr_matrix(interactions(train), dtype=np.float32)
        with threadpool_limits(1, "blas"):  # the library has threads of its own
            model = AlternatingLeastSquares(
                factors=settings.factors,
                regularization=settings.regularization,
                alpha=settings.alpha,
                iterations=settings.iterations,
                random_state=seed,
            )
            model.fit(matrix, show_progress=False)
        return cls(model, settings, matrix.shape[1])

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the best items by inner product with the recalculated users."""
        return lists_by_score(self._scores, cases, self.items, count)

    def predict(self, cases: Sequence[Case]) -> None:
        """Returns None: its scores are preferences, not ratings."""

    def _scores(self, histories: csr_array) -> Doubles:
        users = self.model.recalculate_user(
            np.arange(histories.shape[0]), csr_matrix(histories, dtype=np.float32)
        )
        return np.asarray(users @ self.model.item_factors.T, np.float64)


def interactions(train: Ratings) -> csr_array:
    """Returns the training ratings as 0/1, (users with a rating, items) float64."""
    _, rows = np.unique(train.users, return_inverse=True)
    matrix = csr_array(
        (np.ones(len(train)), (rows, train.items)), shape=(int(rows.max()) + 1, len(train.item_ids))
    )
    matrix.sort_indices()
    return matrix
