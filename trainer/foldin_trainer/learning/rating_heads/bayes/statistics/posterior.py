"""The mean and the variances of the posterior's samples, updated with every sample.

The mean of inner products is one inner product of longer vectors, which are compressed every few
samples: memory does not grow with the number of samples, nor with pairs of user and item.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Doubles, Floats

from foldin_trainer.learning.rating_heads.spread import Spread

KEPT_RANK: Final = 192
SAMPLES_BETWEEN: Final = 8

Pair = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """Mean biases (n,) and vectors (n, dimension), columns in order of decreasing weight."""

    user_biases: Floats
    user_vectors: Floats
    item_biases: Floats
    item_vectors: Floats


@dataclass(slots=True, eq=False)
class Moments:
    """Sums over samples, of one side: biases, noise precisions, and second moments.

    `squares` (n,) are the squared predictions, about μ, averaged over the other side with the
    other side's shares of the ratings.
    """

    biases: Doubles
    noise: Doubles
    squares: Doubles

    @classmethod
    def empty(cls, rows: int) -> Self:
        return cls(np.zeros(rows), np.zeros(rows), np.zeros(rows))


class Posterior:
    """Sums over all samples so far, of all chains.

    `user_counts` (n_users,) and `item_counts` (n_items,) float64 are numbers of ratings. Pairs with
    many of them are requested most, and so they weigh most in the compression.
    """

    def __init__(self, user_counts: torch.Tensor, item_counts: torch.Tensor) -> None:
        self.shares = (user_counts / user_counts.sum(), item_counts / item_counts.sum())
        self.weights = (user_counts + 1.0, item_counts + 1.0)
        self.samples = 0
        self.precision = 0.0
        self.moments = (Moments.empty(len(user_counts)), Moments.empty(len(item_counts)))
        self.factors: list[Pair] = []

    def add(
        self,
        vectors: Pair,
        noise: Pair,
        precision: float,
    ) -> None:
        """Adds one sample: [bias, factors] (n, 1 + K) and noise (n,) of users and of items."""
        self.samples += 1
        self.precision += precision
        users, items = vectors
        squares = self._squares(_user_design(users.double()), _item_design(items.double()))
        for side, moments in enumerate(self.moments):
            moments.squares += squares[side]
            moments.biases += vectors[side][:, 0].double().cpu().numpy()
            moments.noise += noise[side].double().cpu().numpy()
        self.factors.append((users[:, 1:], items[:, 1:]))
        if len(self.factors) > SAMPLES_BETWEEN:
            self.factors = [compress(self.factors, KEPT_RANK, self.weights)]

    def mean(self, dimension: int) -> Compressed:
        """Returns the posterior mean of b_u, c_i and p_u·q_i, the last in `dimension` columns."""
        users, items = compress(self.factors, dimension, self.weights)
        root = self.samples**-0.5
        return Compressed(
            _floats(self.moments[0].biases / self.samples),
            _padded(_floats((root * users).cpu().numpy()), dimension),
            _floats(self.moments[1].biases / self.samples),
            _padded(_floats((root * items).cpu().numpy()), dimension),
        )

    def spread(self) -> Spread:
        """Returns the variances of the samples around their mean, and those of the noise."""
        mean = self.mean(KEPT_RANK)
        users = torch.tensor(np.column_stack((mean.user_biases, mean.user_vectors))).double()
        items = torch.tensor(np.column_stack((mean.item_biases, mean.item_vectors))).double()
        explained = self._squares(_user_design(users), _item_design(items))
        variances = [
            np.maximum(moments.squares / self.samples - squares, 0.0)
            for moments, squares in zip(self.moments, explained, strict=True)
        ]
        average = float(variances[0] @ self.shares[0].cpu().numpy())
        noise = [self.samples / moments.noise for moments in self.moments]
        return Spread(
            user_variances=_floats(variances[0]),
            item_variances=_floats(variances[1] / max(average, 1e-12)),
            user_noise=_floats(noise[0] * self.samples / self.precision),
            item_noise=_floats(noise[1]),
        )

    def _squares(self, users: torch.Tensor, items: torch.Tensor) -> tuple[Doubles, Doubles]:
        """Returns mean squared products of every user's design with all items', and vice versa."""
        of_users, of_items = (shares.to(users)[:, None] for shares in self.shares)
        by_user = ((users @ (items.T @ (items * of_items))) * users).sum(1)
        by_item = ((items @ (users.T @ (users * of_users))) * items).sum(1)
        return by_user.cpu().numpy(), by_item.cpu().numpy()


def compress(
    factors: list[tuple[torch.Tensor, torch.Tensor]], rank: int, weights: Pair | None = None
) -> Pair:
    """Returns U (n, r), V (m, r), with U·Vᵀ nearest to Σ AᵢBᵢᵀ for a rank r of at most `rank`.

    Nearest by the sum of squared differences; a pair weighs the product of its user's and its
    item's positive `weights` (n,), (m,). Thin QR of [A₁ A₂ ...] and of [B₁ B₂ ...], then
    the SVD of the small product of the two triangular factors; the (n, m) matrix is never formed.
    Exact where its rank is at most `rank`.
    """
    left = torch.cat([user for user, _ in factors], 1).double()
    right = torch.cat([item for _, item in factors], 1).double()
    scales = [torch.ones(len(side), 1).to(side) for side in (left, right)]
    if weights is not None:
        scales = [side.sqrt().to(left)[:, None] for side in weights]
    left, left_factor = torch.linalg.qr(left * scales[0])
    right, right_factor = torch.linalg.qr(right * scales[1])
    first, values, second = torch.linalg.svd(left_factor @ right_factor.T)
    roots = values[:rank].sqrt()
    users = left @ (first[:, : len(roots)] * roots) / scales[0]
    items = right @ (second[: len(roots)].T * roots) / scales[1]
    signs = torch.where(users.sum(0) < 0.0, -1.0, 1.0)
    return (users * signs).float(), (items * signs).float()


def _user_design(vectors: torch.Tensor) -> torch.Tensor:
    """Returns [b, 1, p] of user vectors [b, p]; its product with an item's design predicts."""
    return torch.cat((vectors[:, :1], torch.ones_like(vectors[:, :1]), vectors[:, 1:]), 1)


def _item_design(vectors: torch.Tensor) -> torch.Tensor:
    """Returns [1, c, q] of item vectors [c, q]."""
    return torch.cat((torch.ones_like(vectors[:, :1]), vectors), 1)


def _padded(vectors: Floats, width: int) -> Floats:
    return np.pad(vectors, ((0, 0), (0, width - vectors.shape[1])))


def _floats(array: Doubles | Floats) -> Floats:
    return np.asarray(array, np.float32)
