"""The parameters of a rating head, by whichever method they were learned, and one pass of it."""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles, Floats

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.rating_heads.spread import Spread


@dataclass(frozen=True, slots=True)
class Epoch:
    """One finished pass: mean loss (with L2) while training, RMSE on the validation part."""

    number: int
    epochs: int
    loss: float
    rmse: float | None


@dataclass(frozen=True, slots=True, eq=False)
class RatingFactors:
    """Trained parameters: biases (n,) and vectors (n, dimension) float32.

    Users and items without training ratings have the mean of their side. `epochs` is what
    happened, `best_epoch` the number of the pass that these parameters are from.
    """

    mean: float
    user_biases: Floats
    user_vectors: Floats
    item_biases: Floats
    item_vectors: Floats
    epochs: tuple[Epoch, ...]
    best_epoch: int
    spread: Spread | None = None
    """How unsure the parameters are, where sampling tells."""

    def predict(self, ratings: Ratings) -> Doubles:
        """Predicted values (n,) of those pairs of user and item, clipped to the scale."""
        users, items = ratings.users, ratings.items
        products = np.einsum(
            "nd,nd->n", self.user_vectors[users], self.item_vectors[items], dtype=np.float64
        )
        predicted = self.mean + self.user_biases[users] + self.item_biases[items] + products
        return np.asarray(np.clip(predicted, ratings.scale.low, ratings.scale.high), np.float64)


def user_rows(factors: RatingFactors) -> Doubles:
    """The user vectors [b_u, p_u] of the rating head, (n_users, 1 + dimension) float64."""
    return np.column_stack((factors.user_biases, factors.user_vectors)).astype(np.float64)


def item_rows(factors: RatingFactors) -> Doubles:
    """The item vectors [1, q_i] of the rating head, (n_items, 1 + dimension) float64."""
    ones = np.ones(len(factors.item_biases))
    return np.column_stack((ones, factors.item_vectors)).astype(np.float64)


def training_noise(factors: RatingFactors, ratings: Ratings) -> float:
    """Mean squared error on the ratings trained on: a lower bound of what newcomers need."""
    return float(np.mean((factors.predict(ratings) - ratings.values) ** 2))
