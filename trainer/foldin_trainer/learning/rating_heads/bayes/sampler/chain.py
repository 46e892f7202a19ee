"""One Markov chain over all unknowns of the rating head, sweep by sweep.

r_ui ~ N(μ + b_u + c_i + p_u·q_i, 1/(τ γ_u δ_i)). A user is the vector [b_u, p_u], an item
[c_i, q_i]; the sampler is the same for both sides.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Integers

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.rating_heads.bayes.sampler.draws import gamma, normal
from foldin_trainer.learning.rating_heads.bayes.sampler.incidence import Incidence, Sums
from foldin_trainer.learning.rating_heads.bayes.sampler.linear_prior import LinearPrior
from foldin_trainer.learning.rating_heads.bayes.sampler.matrices import products
from foldin_trainer.learning.rating_heads.bayes.sampler.regression import Regression
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features

SPREAD: Final = 0.1
NOISE_SHAPE: Final = 1.0
NOISE_RATE: Final = 1.0


@dataclass(slots=True, eq=False)
class Side:
    """The state of the users or of the items: vectors [bias, factors] (n, 1 + K), noise (n,)."""

    vectors: torch.Tensor
    noise: torch.Tensor
    prior: LinearPrior


@dataclass(slots=True, eq=False)
class State:
    """Everything that the next sweep depends on."""

    users: Side
    items: Side
    precision: float
    random: np.random.Generator


class Data:
    """The data that all chains share: the ratings by user and by item, and the features."""

    def __init__(
        self, ratings: Ratings, users: Features, items: Features, device: torch.device
    ) -> None:
        self.mean = float(ratings.values.mean())
        centred = ratings.values - self.mean
        shape = len(ratings.user_ids), len(ratings.item_ids)
        pairs = ratings.users, ratings.items
        self.by_user = Incidence.gather(*pairs, centred, shape=shape, device=device)
        self.by_item = Incidence.gather(*pairs[::-1], centred, shape=shape[::-1], device=device)
        self.user_regression = Regression(users, self.by_user.counts, device)
        self.item_regression = Regression(items, self.by_item.counts, device)
        self.users, self.items, self.device = users, items, device


class Chain:
    """Block Gibbs sampling: given the rest, the vectors of a side are independent."""

    def __init__(self, data: Data, state: State, noise_degrees: float) -> None:
        self.data = data
        self.state = state
        self.noise_degrees = noise_degrees

    @classmethod
    def start(cls, data: Data, factors: int, noise_degrees: float, seed: list[int]) -> Self:
        """Returns a chain before its first sweep, with small random vectors."""
        random = np.random.default_rng(seed)
        users = _first_side(data.users, factors + 1, random, data.device)
        items = _first_side(data.items, factors + 1, random, data.device)
        return cls(data, State(users, items, 1.0, random), noise_degrees)

    def sweep(self) -> None:
        """Replaces every unknown by a draw from its conditional."""
        state, data = self.state, self.data
        self._draw(state.items, state.users, data.by_item, data.item_regression)
        missed = self._draw(state.users, state.items, data.by_user, data.user_regression)
        rate = NOISE_RATE + missed / 2
        shape = NOISE_SHAPE + len(data.by_user.values) / 2
        state.precision = float(state.random.standard_gamma(shape) / rate)

    def _draw(self, side: Side, other: Side, incidence: Incidence, regression: Regression) -> float:
        """Draws a side's vectors, prior and noise; returns the squared error before τ weighs it.

        It works in coordinates y = Lᵀx in which the prior precision L·Lᵀ is the identity; designs
        are L⁻¹e there. The other side's bias is one more entry of the design, whose weight is 1.
        """
        random, prior = self.state.random, side.prior
        inverse = other.vectors.new_tensor(np.linalg.inv(np.linalg.cholesky(prior.precision)))
        ones = torch.ones_like(other.noise)[:, None]
        designs = torch.cat((ones, other.vectors[:, 1:]), 1) @ inverse.T
        designs = torch.cat((designs, other.vectors[:, :1]), 1)
        sums = incidence.sums(designs, other.noise, random)
        gains = self.state.precision * side.noise
        right = (
            gains[:, None] * (sums.cross - sums.outer[-1].T) + gains.sqrt()[:, None] * sums.noise
        )
        grams = gains * sums.outer[:-1, :-1]
        drawn = regression.draw(prior.ridges, grams, right[:, :-1], random)
        side.vectors = drawn.vectors @ inverse
        prior.coefficients = drawn.coefficients @ inverse
        prior.draw(drawn.residuals @ inverse, regression.groups, random)
        errors = _squared_errors(drawn.vectors, sums)
        side.noise = self._draw_noise(incidence.counts, errors)
        return float(side.noise.double() @ errors.double())

    def _draw_noise(self, counts: Integers, errors: torch.Tensor) -> torch.Tensor:
        """Draws γ from Gamma((ν + n)/2, (ν + τ Σ δ e²)/2): a heavy-tailed scale mixture."""
        missed = errors.cpu().numpy().astype(np.float64)
        rates = (self.noise_degrees + self.state.precision * missed) / 2
        drawn = gamma(self.state.random, (self.noise_degrees + counts) / 2, rates)
        return errors.new_tensor(drawn)


def _squared_errors(vectors: torch.Tensor, sums: Sums) -> torch.Tensor:
    """Returns Σ δ (r − e·x)² of every row, from its sums alone."""
    whole = torch.cat((vectors, torch.ones_like(vectors[:, :1])), 1)
    quadratic = (products(sums.outer, whole) - 2 * sums.cross) * whole
    return (sums.square + quadratic.sum(1)).clamp(min=0.0)


def _first_side(
    features: Features, size: int, random: np.random.Generator, device: torch.device
) -> Side:
    rows = features.matrix.shape[0]
    vectors = SPREAD * normal(random, rows, size, device=device)
    noise = torch.ones(rows, device=device)
    return Side(vectors, noise, LinearPrior.start(features, size, device))
