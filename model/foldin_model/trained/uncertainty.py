"""Uncertainty of predicted ratings: the central interval that holds nine in ten of them.

A model stores the part of the items. A user's part is computed from their ratings for an answer.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in.head import Head
from foldin_model.scale import Scale

LEVEL: Final = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """A model's part: Var(r_ui) = noise_i/γ_u + variance_i + s²·v_iᵀA(H)⁻¹v_i for user u.

    `item_noise` and `item_variances` (n_items,) float32 are in squared units of the scale: noise in
    the ratings of an item, and the error variance of the item's own vector. `vector_variance` is
    s², the prior variance of a user's vector. A user's ratings are γ_u times as reliable as the
    average user's, with the prior Gamma(ν/2, ν/2), ν being the `degrees`. A user of the training
    data has `trained_noise` times the noise that their ratings show.
    """

    item_noise: Floats
    item_variances: Floats
    vector_variance: float
    degrees: float
    trained_noise: float = 1.0

    def reordered(self, order: Integers) -> "Uncertainty":
        """Returns the uncertainty with the row that is now `order[i]` at row i."""
        return replace(
            self, item_noise=self.item_noise[order], item_variances=self.item_variances[order]
        )

    def with_new_items(self, count: int) -> "Uncertainty":
        """Returns it with `count` more items: average noise, and the greatest error variance."""
        noise = np.full(count, self.item_noise.mean(), np.float32)
        variances = np.full(count, self.item_variances.max(), np.float32)
        return replace(
            self,
            item_noise=np.concatenate((self.item_noise, noise)),
            item_variances=np.concatenate((self.item_variances, variances)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class VectorPosterior:
    """A user's part: the posterior of one rating vector and of one user's noise.

    `covariance` (d, d) is the vector's. `noise` is 1/γ_u, which multiplies the items' noise, and
    `degrees` are the degrees of freedom of the Student distribution of the user's ratings.
    """

    covariance: Doubles
    noise: float
    degrees: float

    @classmethod
    def of(
        cls,
        head: Head,
        uncertainty: Uncertainty,
        rows: Rows,
        values: Doubles,
        vector: Doubles,
        *,
        trained: bool = False,
    ) -> "VectorPosterior":
        """Returns the posterior after ratings `values` of the items at `rows`, both (n,).

        `vector` (d,) is the user's. The noise follows from the conjugate update of γ_u by the
        squared errors of the predictions and their variances. Errors of the items' vectors are not
        the user's noise: their share of the squared errors is left out. For a user who was
        `trained` on, the items were fitted to the same ratings and there is no such share.
        """
        vectors = head.vectors[rows].astype(np.float64)
        normal = (vectors * head.weights(values)[:, None]).T @ vectors
        normal.flat[:: len(normal) + 1] += 1.0
        covariance = np.asarray(uncertainty.vector_variance * np.linalg.inv(normal), np.float64)
        squared_errors = np.square(values - head.score(rows, vector))
        item_noise = uncertainty.item_noise[rows].astype(np.float64)
        if not trained:
            squared_errors *= item_noise / (item_noise + uncertainty.item_variances[rows])
        unexplained = (squared_errors + _quadratic(vectors, covariance)) / item_noise
        degrees = uncertainty.degrees + len(rows)
        noise = float((uncertainty.degrees + unexplained.sum()) / degrees)
        return cls(covariance, noise * (uncertainty.trained_noise if trained else 1.0), degrees)

    def half_widths(
        self, head: Head, uncertainty: Uncertainty, rows: Rows, level: float = LEVEL
    ) -> Doubles:
        """Returns half the widths (n,) of the intervals of level `level` for the items at `rows`.

        The noise part of a rating's variance has the noise's degrees of freedom; the normal rest
        raises them so that the kurtosis of the sum is right.
        """
        known = _quadratic(head.vectors[rows].astype(np.float64), self.covariance)
        noise = self.noise * uncertainty.item_noise[rows].astype(np.float64)
        variances = known + noise + uncertainty.item_variances[rows]
        degrees = self.degrees * (variances / noise) ** 2
        return np.asarray(student_half_width(level, degrees) * np.sqrt(variances), np.float64)


def student_half_width(level: float, degrees: Doubles) -> Doubles:
    """Returns half the widths (n,) of central intervals of Student distributions, of level `level`.

    By the first terms of the expansion about the normal one (Abramowitz & Stegun 1964, 26.7.5).
    """
    normal = NormalDist().inv_cdf((1.0 + level) / 2.0)
    first = (normal**3 + normal) / 4.0
    second = (5.0 * normal**5 + 16.0 * normal**3 + 3.0 * normal) / 96.0
    return np.asarray(normal + first / degrees + second / degrees**2, np.float64)


def interval(predicted: Doubles, half_widths: Doubles, scale: Scale) -> tuple[Doubles, Doubles]:
    """Returns the low and high ends (n,) of predicted ± half width, clipped to the scale."""
    low = np.clip(predicted - half_widths, scale.low, scale.high)
    high = np.clip(predicted + half_widths, scale.low, scale.high)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)


def _quadratic(vectors: Doubles, matrix: Doubles) -> Doubles:
    products: Doubles = ((vectors @ matrix) * vectors).sum(axis=1)
    return products
