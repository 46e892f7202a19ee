"""The variance of predicted ratings: that of the posterior's samples, and that of the noise.

Two numbers a user and two an item; predictions themselves are elsewhere.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from foldin_model.arrays import Doubles, Floats, Rows
from foldin_model.scale import Scale


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variances of a rating by user u and item i, both float32: (n_users,) and (n_items,).

    The samples' own is user_variances[u]·item_variances[i], exact on average over every row and
    every column, items and users weighted by their ratings. The noise is
    user_noise[u]·item_noise[i], in squared units of the scale.
    """

    user_variances: Floats
    item_variances: Floats
    user_noise: Floats
    item_noise: Floats

    def deviations(self, users: Rows, items: Rows) -> Doubles:
        """Returns the standard deviations (n,) of the ratings of these pairs."""
        variances = self.user_variances[users].astype(np.float64) * self.item_variances[items]
        noise = self.user_noise[users].astype(np.float64) * self.item_noise[items]
        return np.sqrt(variances + noise)


def interval(
    predicted: Doubles, deviations: Doubles, scale: Scale, level: float = 0.9
) -> tuple[Doubles, Doubles]:
    """Returns the ends (n,) of the intervals that hold a rating with probability `level`.

    The central interval of a normal distribution, cut at the ends of the scale.
    """
    reach = NormalDist().inv_cdf((1.0 + level) / 2.0) * deviations
    low = np.clip(predicted - reach, scale.low, scale.high)
    high = np.clip(predicted + reach, scale.low, scale.high)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)
