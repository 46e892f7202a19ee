"""Linear item-to-item models: scores of all items as a linear map of what a user rated.

EASE (Steck 2019), with inputs and targets that need not be the same. Only matrix products with the
weights are offered, so that no item by item matrix is kept where there are fewer rows than items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from foldin_model.arrays import Doubles, Integers
from scipy.sparse import csc_array, csr_array

COLUMNS: Final = 2_048
"""Columns that are dense at a time."""
DENSE_SHARE: Final = 0.02
"""Columns with a greater share of numbers than this are multiplied faster as dense ones."""


class ItemWeights(Protocol):
    """B, (n_items, n_items): a user with the history h, (n_items,), scores h·B."""

    def times(self, vectors: Doubles) -> Doubles:
        """B·vectors for (n_items, d)."""
        ...

    def transposed_times(self, vectors: Doubles) -> Doubles:
        """Bᵀ·vectors for (n_items, d)."""
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
        """Inverts; the inputs must have their indices sorted, and `l2` is above 0."""
        rows, items = inputs.shape
        gram = inputs @ inputs.T if rows < items else inputs.T @ inputs
        dense = np.asarray(gram.toarray(), np.float64)
        dense.flat[:: len(dense) + 1] += l2
        return cls(inputs, l2, np.asarray(np.linalg.inv(dense), np.float64))

    @property
    def kernel(self) -> bool:
        """Whether K is kept and not P."""
        return self.inputs.shape[0] < self.inputs.shape[1]

    def times(self, vectors: Doubles) -> Doubles:
        """P·vectors for (n_items, d)."""
        if not self.kernel:
            return np.asarray(self.inverse @ vectors, np.float64)
        image = self.inputs.T @ (self.inverse @ (self.inputs @ vectors))
        return np.asarray((vectors - image) / self.l2, np.float64)

    def regress(self, targets: Doubles) -> Doubles:
        """PXᵀ·targets for (n, d): what ridge regression of them on the inputs finds."""
        if self.kernel:
            return np.asarray(self.inputs.T @ (self.inverse @ targets), np.float64)
        return np.asarray(self.inverse @ (self.inputs.T @ targets), np.float64)

    def diagonals(self, targets: csr_array) -> tuple[Doubles, Doubles]:
        """The diagonals of P and of PXᵀT for (n, n_items) targets T, both (n_items,)."""
        inputs, columns = self.inputs.tocsc(), targets.tocsc()
        own, explained = np.empty((2, inputs.shape[1]))
        for part in _by_popularity(inputs):
            asked, taught = inputs[:, part], columns[:, part]
            if self.kernel:
                images = self._images(asked)
                own[part] = (1.0 - asked.multiply(images).sum(axis=0)) / self.l2
                explained[part] = taught.multiply(images).sum(axis=0)
            else:
                crossed = (inputs.T @ taught).toarray()
                own[part] = np.diag(self.inverse)[part]
                explained[part] = (self.inverse[:, part] * crossed).sum(axis=0)
        return own, explained

    def _images(self, columns: csc_array) -> Doubles:
        """K·columns (n, d), in the form that suits how many numbers there are."""
        if columns.nnz > DENSE_SHARE * np.prod(columns.shape):
            return np.asarray(self.inverse @ columns.toarray(), np.float64)
        return np.asarray((columns.T @ self.inverse).T, np.float64)  # K is symmetric


@dataclass(frozen=True, slots=True, eq=False)
class Ease:
    """B = P(XᵀT − diag(μ)), with μ so that the diagonal of B is zero, or part of what it was.

    For T = X these are the weights of EASE. An item that must not explain itself has to be
    explained by the others, which is what it is for the users who have not rated it.
    """

    ridge: Ridge
    targets: csr_array
    multipliers: Doubles

    @classmethod
    def fit(cls, inputs: csr_array, targets: csr_array, l2: float, relief: float = 1.0) -> Self:
        """Fitted to (n, n_items) inputs and targets, one row an example.

        `relief` is the share of an item's own explanation that is taken away: 1 leaves none, 0
        leaves ridge regression.
        """
        ridge = Ridge.fit(inputs, l2)
        own, explained = ridge.diagonals(targets)
        return cls(ridge, targets, relief * explained / own)

    def times(self, vectors: Doubles) -> Doubles:
        """B·vectors for (n_items, d)."""
        moved = self.multipliers[:, None] * vectors
        return self.ridge.regress(self.targets @ vectors) - self.ridge.times(moved)

    def transposed_times(self, vectors: Doubles) -> Doubles:
        """Bᵀ·vectors for (n_items, d)."""
        solved = self.ridge.times(vectors)
        taught = self.targets.T @ (self.ridge.inputs @ solved)
        return np.asarray(taught - self.multipliers[:, None] * solved, np.float64)


def _by_popularity(inputs: csc_array) -> Iterator[Integers]:
    """All columns, in parts of columns that have about equally many numbers."""
    order = np.argsort(-np.diff(inputs.indptr), kind="stable")
    for start in range(0, len(order), COLUMNS):
        yield order[start : start + COLUMNS]
