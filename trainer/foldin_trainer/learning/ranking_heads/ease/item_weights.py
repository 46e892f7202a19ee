"""Linear item-to-item models: scores of all items as a linear map of a user's ratings.

EASE (Steck 2019), with inputs and targets that may differ. The weights are used through matrix
products only, so that no items by items matrix is kept if there are fewer rows than items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from foldin_model.arrays import Doubles, Integers
from scipy.sparse import csc_array, csr_array

COLUMNS: Final = 2_048
"""Columns that are made dense at a time."""
DENSE_SHARE: Final = 0.02
"""Columns with a larger share of nonzeros are multiplied faster as dense ones."""


class ItemWeights(Protocol):
    """B, (n_items, n_items): the scores of a user with the history h, (n_items,), are h·B."""

    def times(self, vectors: Doubles) -> Doubles:
        """Returns B·vectors for (n_items, d)."""
        ...

    def transposed_times(self, vectors: Doubles) -> Doubles:
        """Returns Bᵀ·vectors for (n_items, d)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """P = (XᵀX + λI)⁻¹ of the (n, n_items) inputs X, in the smaller of its two forms.

    `inverse` is P itself, or for n < n_items K = (XXᵀ + λI)⁻¹, and P = (I − XᵀKX) / λ.
    """

    inputs: csr_array
    l2: float
    inverse: Doubles

    @classmethod
    def fit(cls, inputs: csr_array, l2: float) -> Self:
        """Returns P for inputs with sorted indices; `l2` must be above 0."""
        rows, items = inputs.shape
        gram = inputs @ inputs.T if rows < items else inputs.T @ inputs
        dense = np.asarray(gram.toarray(), np.float64)
        dense.flat[:: len(dense) + 1] += l2
        return cls(inputs, l2, np.asarray(np.linalg.inv(dense), np.float64))

    @property
    def kernel(self) -> bool:
        """Whether `inverse` is K."""
        return self.inputs.shape[0] < self.inputs.shape[1]

    def times(self, vectors: Doubles) -> Doubles:
        """Returns P·vectors for (n_items, d)."""
        if not self.kernel:
            return np.asarray(self.inverse @ vectors, np.float64)
        image = self.inputs.T @ (self.inverse @ (self.inputs @ vectors))
        return np.asarray((vectors - image) / self.l2, np.float64)

    def regress(self, targets: Doubles) -> Doubles:
        """Returns PXᵀ·targets for (n, d): their ridge regression on the inputs."""
        if self.kernel:
            return np.asarray(self.inputs.T @ (self.inverse @ targets), np.float64)
        return np.asarray(self.inverse @ (self.inputs.T @ targets), np.float64)

    def diagonals(self, targets: csr_array) -> tuple[Doubles, Doubles]:
        """Returns the diagonals of P and of PXᵀT for (n, n_items) targets T, both (n_items,)."""
        inputs, columns = self.inputs.tocsc(), targets.tocsc()
        own, explained = np.empty((2, inputs.shape[1]))
        for part in _by_popularity(inputs):
            given, wanted = inputs[:, part], columns[:, part]
            if self.kernel:
                images = self._images(given)
                own[part] = (1.0 - given.multiply(images).sum(axis=0)) / self.l2
                explained[part] = wanted.multiply(images).sum(axis=0)
            else:
                crossed = (inputs.T @ wanted).toarray()
                own[part] = np.diag(self.inverse)[part]
                explained[part] = (self.inverse[:, part] * crossed).sum(axis=0)
        return own, explained

    def _images(self, columns: csc_array) -> Doubles:
        """Returns K·columns (n, d), computed densely or sparsely, whichever is faster."""
        if columns.nnz > DENSE_SHARE * np.prod(columns.shape):
            return np.asarray(self.inverse @ columns.toarray(), np.float64)
        return np.asarray((columns.T @ self.inverse).T, np.float64)  # K is symmetric


@dataclass(frozen=True, slots=True, eq=False)
class Ease:
    """B = P(XᵀT − diag(μ)), with a μ for which the diagonal of B is zero, or smaller than before.

    For T = X these are the weights of EASE. An item that must not explain itself has to be
    explained by the others, as for the users who have not rated it.
    """

    ridge: Ridge
    targets: csr_array
    multipliers: Doubles

    @classmethod
    def fit(cls, inputs: csr_array, targets: csr_array, l2: float, relief: float = 1.0) -> Self:
        """Returns the weights fitted to (n, n_items) inputs and targets, one row an example.

        `relief` is the share of an item's explanation by itself that is removed: 1 removes all, 0
        gives ridge regression.
        """
        ridge = Ridge.fit(inputs, l2)
        own, explained = ridge.diagonals(targets)
        return cls(ridge, targets, relief * explained / own)

    def times(self, vectors: Doubles) -> Doubles:
        """Returns B·vectors for (n_items, d)."""
        moved = self.multipliers[:, None] * vectors
        return self.ridge.regress(self.targets @ vectors) - self.ridge.times(moved)

    def transposed_times(self, vectors: Doubles) -> Doubles:
        """Returns Bᵀ·vectors for (n_items, d)."""
        solved = self.ridge.times(vectors)
        taught = self.targets.T @ (self.ridge.inputs @ solved)
        return np.asarray(taught - self.multipliers[:, None] * solved, np.float64)


def _by_popularity(inputs: csc_array) -> Iterator[Integers]:
    """Yields all columns in parts, each of columns with about as many nonzeros."""
    order = np.argsort(-np.diff(inputs.indptr), kind="stable")
    for start in range(0, len(order), COLUMNS):
        yield order[start : start + COLUMNS]
