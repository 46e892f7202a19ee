"""Bootstrap intervals of means and paired ratios over users."""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles

SAMPLES = 2_000
BLOCK = 50


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its central 95% percentile interval (Efron & Tibshirani 1993)."""

    estimate: float
    low: float
    high: float


def mean_interval(values: Doubles, *, seed: int = 0) -> Interval:
    """Returns the mean of (n,) values of users, resampled over users."""
    (means,) = _resampled_means(values[:, None], seed).T
    return percentile_interval(float(values.mean()), means)


def ratio_interval(ours: Doubles, theirs: Doubles, *, seed: int = 0) -> Interval:
    """Returns mean(ours) / mean(theirs), both (n,) of the same users, resampled in pairs."""
    above, below = _resampled_means(np.column_stack((ours, theirs)), seed).T
    return percentile_interval(float(ours.mean() / theirs.mean()), above / below)


def percentile_interval(estimate: float, samples: Doubles) -> Interval:
    """Returns the interval of an estimate from its (s,) resampled values; NaN if none is finite."""
    known = samples[np.isfinite(samples)]
    if not len(known):
        return Interval(estimate, float("nan"), float("nan"))
    low, high = np.quantile(known, (0.025, 0.975))
    return Interval(estimate, float(low), float(high))


def _resampled_means(columns: Doubles, seed: int) -> Doubles:
    """Returns column means of SAMPLES resamples of the rows of (n, c), (SAMPLES, c)."""
    rng, users = np.random.default_rng(seed), len(columns)
    even = np.full(users, 1.0 / users)
    blocks = [  # a block at a time, so that 100,000 rows need no gigabytes
        rng.multinomial(users, even, BLOCK) @ columns / users for _ in range(SAMPLES // BLOCK)
    ]
    return np.concatenate(blocks)
