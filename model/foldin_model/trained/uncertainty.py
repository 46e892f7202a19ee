"""How far ratings lie from what is predicted: the central interval that holds nine in ten.

What is kept belongs to items; of a user everything follows from her ratings when she is asked for.
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
    """Var(r_ui) = noise_i/γ_u + doubt_i + s²·v_iᵀA(H)⁻¹v_i about the prediction for user u.

    `item_noise` and `item_variances` (n_items,) float32 are in squared units of the scale: noise in
    the ratings of an item, and how unsure its own vector is. `vector_variance` is s², the variance
    of a user's vector where no rating tells of it. A user's ratings are γ_u times as reliable as
    the average user's, Gamma(ν/2, ν/2) before she rates, with ν the `degrees`. Who was trained
    on has `trained_noise` times the noise that her ratings tell of.
    """

    item_noise: Floats
    item_variances: Floats
    vector_variance: float
    degrees: float
    trained_noise: float = 1.0

    def reordered(self, order: Integers) -> "Uncertainty":
        """That of the same items with the row that is now `order[i]` at row i."""
        return replace(
            self, item_noise=self.item_noise[order], item_variances=self.item_variances[order]
        )

    def with_new_items(self, count: int) -> "Uncertainty":
        """With so many items more, noisy as the average one and unsure as the least known one."""
        noise = np.full(count, self.item_noise.mean(), np.float32)
        doubts = np.full(count, self.item_variances.max(), np.float32)
        return replace(
            self,
            item_noise=np.concatenate((self.item_noise, noise)),
            item_variances=np.concatenate((self.item_variances, doubts)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class VectorPosterior:
    """How unsure predictions for one user are.

    `covariance` is that of her vector, (d, d); `noise` multiplies the items' noise, 1/γ_u, and
    `degrees` says how sure that is: those of the Student distribution that her ratings have.
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
        """After ratings `values` of the items at `rows`, both (n,), her vector being (d,).

        The noise is by the conjugate update of γ_u, which counts what her ratings miss her
        predictions by and how unsure those are. The errors of items' vectors are no noise of hers:
        their share of what is missed is left out. Where she was `trained` on, the items were
        fitted to her ratings too, so that what is missed holds nothing of these errors.
        """
        vectors = head.vectors[rows].astype(np.float64)
        normal = (vectors * head.weights(values)[:, None]).T @ vectors
        normal.flat[:: len(normal) + 1] += 1.0
        covariance = np.asarray(uncertainty.vector_variance * np.linalg.inv(normal), np.float64)
        missed = np.square(values - head.score(rows, vector))
        item_noise = uncertainty.item_noise[rows].astype(np.float64)
        if not trained:
            missed *= item_noise / (item_noise + uncertainty.item_variances[rows])
        unexplained = (missed + _quadratic(vectors, covariance)) / item_noise
        degrees = uncertainty.degrees + len(rows)
        noise = float((uncertainty.degrees + unexplained.sum()) / degrees)
        return cls(covariance, noise * (uncertainty.trained_noise if trained else 1.0), degrees)

    def half_widths(
        self, head: Head, uncertainty: Uncertainty, rows: Rows, level: float = LEVEL
    ) -> Doubles:
        """How far (n,) ratings of the items at `rows` lie from their predictions at most.

        With chance `level`. The part of a rating's variance that is noise has her noise's degrees
        of freedom; what is normal about the rest makes them more, as the kurtosis of the sum asks.
        """
        known = _quadratic(head.vectors[rows].astype(np.float64), self.covariance)
        noise = self.noise * uncertainty.item_noise[rows].astype(np.float64)
        variances = known + noise + uncertainty.item_variances[rows]
        degrees = self.degrees * (variances / noise) ** 2
        return np.asarray(student_half_width(level, degrees) * np.sqrt(variances), np.float64)


def student_half_width(level: float, degrees: Doubles) -> Doubles:
    """What the central interval of Student distributions reaches to with chance `level`, (n,).

    By the first terms of the expansion about the normal one (Abramowitz & Stegun 1964, 26.7.5).
    """
    normal = NormalDist().inv_cdf((1.0 + level) / 2.0)
    first = (normal**3 + normal) / 4.0
    second = (5.0 * normal**5 + 16.0 * normal**3 + 3.0 * normal) / 96.0
    return np.asarray(normal + first / degrees + second / degrees**2, np.float64)


def interval(predicted: Doubles, half_widths: Doubles, scale: Scale) -> tuple[Doubles, Doubles]:
    """The low and high ends (n,) of what lies no farther off than `half_widths`, on the scale."""
    low = np.clip(predicted - half_widths, scale.low, scale.high)
    high = np.clip(predicted + half_widths, scale.low, scale.high)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)


def _quadratic(vectors: Doubles, matrix: Doubles) -> Doubles:
    products: Doubles = ((vectors @ matrix) * vectors).sum(axis=1)
    return products
