"""Carries a quadratic problem into the basis where its prior precision is the identity.

`foldin_model.fold_in.head` expects both heads in this basis.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """P = L·Lᵀ: item vectors become V·L⁻ᵀ and user vectors Lᵀ·z; inner products stay.

    `factor` is the lower-triangular L, (d, d).
    """

    factor: Doubles

    @classmethod
    def of(cls, precision: Doubles) -> Self:
        """Returns the whitening of (d, d). Raises LinAlgError if it is not positive definite."""
        return cls(np.asarray(np.linalg.cholesky(precision), np.float64))

    def items(self, vectors: Doubles) -> Doubles:
        """Returns item vectors (n, d) in the new basis."""
        return np.asarray(np.linalg.solve(self.factor, vectors.T).T, np.float64)

    def users(self, vectors: Doubles) -> Doubles:
        """Returns user vectors (n, d) or (d,) in the new basis."""
        return np.asarray(vectors @ self.factor, np.float64)
