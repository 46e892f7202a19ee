"""How far a mean over users may be off by chance: bootstrap intervals, paired where it matters."""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles

SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its central 95% percentile interval (Efron & Tibshirani 1993)."""

    estimate: float
    low: float
    high: float


def mean_interval(values: Doubles, *, seed: int = 0) -> Interval:
    """The mean of (n,) values of users, resampled over users."""
    weights = _resamples(len(values), seed)
    return _interval(float(values.mean()), weights @ values / len(values))


def ratio_interval(ours: Doubles, theirs: Doubles, *, seed: int = 0) -> Interval:
    """mean(ours) / mean(theirs), both (n,) of the same users, resampled over users in pairs."""
    weights = _resamples(len(ours), seed)
    return _interval(float(ours.mean() / theirs.mean()), (weights @ ours) / (weights @ theirs))


def _resamples(users: int, seed: int) -> Doubles:
    """How often each user is drawn in each sample, (SAMPLES, users)."""
    drawn = np.random.default_rng(seed).multinomial(users, np.full(users, 1.0 / users), SAMPLES)
    return drawn.astype(np.float64)


def _interval(estimate: float, samples: Doubles) -> Interval:
    low, high = np.quantile(samples, (0.025, 0.975))
    return Interval(estimate, float(low), float(high))
