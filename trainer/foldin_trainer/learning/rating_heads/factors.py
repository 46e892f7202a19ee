"""`RatingFactors`: the parameters of a rating head, whatever it learned by; and `Epoch`."""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles, Floats

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.rating_heads.spread import Spread


@dataclass(frozen=True, slots=True)
class Epoch:
    """One finished pass: its mean loss (with L2) and the RMSE on the validation part."""

    number: int
    epochs: int
    loss: float
    rmse: float | None


@dataclass(frozen=True, slots=True, eq=False)
class RatingFactors:
    """Trained parameters: biases (n,) and vectors (n, dimension) float32.

    Users and items without training ratings have the mean of their side. `best_epoch` is the number
    of the pass that these parameters are from, one of `epochs`.
    """

    mean: float
    user_biases: Floats
    user_vectors: Floats
    item_biases: Floats
    item_vectors: Floats
    epochs: tuple[Epoch, ...]
    best_epoch: int
    spread: Spread | None = None
    """The variances of predictions, if the head samples."""

    def predict(self, ratings: Ratings) -> Doubles:
        """Returns predicted values (n,) of these pairs of user and item, clipped to the scale."""
        users, items = ratings.users, ratings.items
        products = np.einsum(
            "nd,nd->n", self.user_vectors[users], self.item_vectors[items], dtype=np.float64
        )
        predicted = self.mean + self.user_biases[users] + self.item_biases[items] + products
        return np.asarray(np.clip(predicted, ratings.scale.low, ratings.scale.high), np.float64)


def user_rows(factors: RatingFactors) -> Doubles:
    """Returns the user vectors [b_u, p_u], (n_users, 1 + dimension) float64."""
    return np.column_stack((factors.user_biases, factors.user_vectors)).astype(np.float64)


def item_rows(factors: RatingFactors) -> Doubles:
    """Returns the item vectors [1, q_i], (n_items, 1 + dimension) float64."""
    ones = np.ones(len(factors.item_biases))
    return np.column_stack((ones, factors.item_vectors)).astype(np.float64)


def training_noise(factors: RatingFactors, ratings: Ratings) -> float:
    """Returns the mean squared training error: a lower bound of the noise for new users."""
    return float(np.mean((factors.predict(ratings) - ratings.values) ** 2))
