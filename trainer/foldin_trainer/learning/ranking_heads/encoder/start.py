"""The start of training an encoder: EASE at a low rank, and popularity in its own column.

EASE (Steck 2019) is kept in its kernel form, users by users, for at most `MOST_USERS`.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from foldin_model.arrays import Doubles
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, svds

MOST_USERS: Final = 8_000  # more are sampled: 512 MB of kernel
COLUMNS: Final = 2_048  # items whose products with the kernel are kept at a time
SMOOTHING: Final = 0.5  # ratings that are added to every item before taking logarithms


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Item vectors, input vectors, both (n_items, d), and the prior (d,), all float64."""

    items: Doubles
    inputs: Doubles
    prior: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class ItemWeights:
    """EASE's weights B = I − (XᵀX + λI)⁻¹·diag⁻¹ as an operator; no items by items matrix."""

    interactions: csr_array
    kernel: Doubles
    diagonal: Doubles
    l2: float

    @classmethod
    def fit(cls, interactions: csr_array, l2: float) -> Self:
        """Returns the weights of 0/1 `interactions`, (n_users, n_items)."""
        gram = (interactions @ interactions.T).toarray()
        gram.flat[:: len(gram) + 1] += l2
        kernel = np.linalg.inv(gram)
        columns = interactions.tocsc()
        explained = [
            np.asarray(block.multiply(kernel @ block).sum(axis=0)).ravel()
            for block in (
                columns[:, at : at + COLUMNS] for at in range(0, columns.shape[1], COLUMNS)
            )
        ]
        return cls(interactions, kernel, (1.0 - np.concatenate(explained)) / l2, l2)

    def times(self, vectors: Doubles) -> Doubles:
        """Returns B·vectors for (n_items, d)."""
        return np.asarray(vectors - self._inverse(vectors / self.diagonal[:, None]), np.float64)

    def transposed_times(self, vectors: Doubles) -> Doubles:
        """Returns Bᵀ·vectors for (n_items, d)."""
        return np.asarray(vectors - self._inverse(vectors) / self.diagonal[:, None], np.float64)

    def _inverse(self, vectors: Doubles) -> Doubles:
        image = self.interactions.T @ (self.kernel @ (self.interactions @ vectors))
        return np.asarray((vectors - image) / self.l2, np.float64)


def start(
    interactions: csr_array, dimension: int, *, l2: float, sharpness: float, seed: int
) -> Start:
    """Returns EASE in `dimension` − 1 dimensions, and the logarithm of popularity in the last.

    The dimensions are the directions of item space along which the scores of users, with histories
    scaled to length one, differ most. If there are fewer, the others are small random numbers.
    """
    popularity = np.asarray(interactions.sum(axis=0)).ravel()
    weights = ItemWeights.fit(_sample(interactions, seed), l2)
    basis = _directions(weights, dimension - 1, seed)
    inputs = sharpness * weights.times(basis)
    balance = np.sqrt(np.linalg.norm(inputs, axis=0).clip(min=1e-12))  # equal lengths on both sides
    log_popularity = np.log(popularity + SMOOTHING)
    log_popularity -= log_popularity.mean()
    length = max(float(np.linalg.norm(log_popularity)), 1e-12) ** 0.5
    prior = np.zeros(dimension)
    prior[-1] = length
    return Start(
        items=np.column_stack((basis * balance, log_popularity / length)),
        inputs=np.column_stack((inputs / balance, np.zeros(len(popularity))))
        * (popularity > 0.0)[:, None],
        prior=prior,
    )


def _sample(interactions: csr_array, seed: int) -> csr_array:
    users = interactions.shape[0]
    if users <= MOST_USERS:
        return interactions
    chosen = np.random.default_rng(seed).choice(users, MOST_USERS, replace=False)
    return csr_array(interactions[np.sort(chosen)])


def _directions(weights: ItemWeights, count: int, seed: int) -> Doubles:
    """Returns the first right singular vectors of the users' scores, (n_items, count)."""
    sizes = np.asarray(weights.interactions.sum(axis=1)).ravel().clip(min=1.0)
    users = csr_array(weights.interactions.multiply(1.0 / np.sqrt(sizes)[:, None]))
    scores = LinearOperator(
        users.shape,
        dtype=np.float64,
        matvec=lambda x: users @ weights.times(x.reshape(-1, 1))[:, 0],
        rmatvec=lambda x: weights.transposed_times(users.T @ x.reshape(-1, 1))[:, 0],
        matmat=lambda x: users @ weights.times(x),
        rmatmat=lambda x: weights.transposed_times(users.T @ x),
    )
    rng = np.random.default_rng(seed)
    found = min(count, min(users.shape) - 1)
    _, lengths, rows = svds(scores, found, v0=rng.normal(size=min(users.shape)))
    order = np.argsort(-lengths)
    rest = 0.01 / np.sqrt(users.shape[1]) * rng.normal(size=(users.shape[1], count - found))
    return np.column_stack((rows[order].T, rest))
