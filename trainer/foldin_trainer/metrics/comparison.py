"""Compares methods by bootstrap intervals and paired tests.

Users are resampled, each with all their hidden ratings of every trial, and all methods see the same
resamples. The numbers that are compared are those of `measures`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles

from foldin_trainer.metrics.intervals import BLOCK, SAMPLES, Interval, percentile_interval
from foldin_trainer.metrics.measures import Measure, measures, user_positions
from foldin_trainer.metrics.scores import Scores

DEVIATION_SAMPLES: Final = 200  # enough for a standard error (Efron & Tibshirani 1993, ch. 6)
LEVEL: Final = 0.05
FEWEST_USERS: Final = 10  # resamples of fewer are too alike; of one user there is only one
_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Difference:
    """Ours minus the other method's, with its interval.

    `p` is two-sided; `p_holm` is corrected for the number of methods in the table. With fewer than
    FEWEST_USERS users both are NaN, as are the ends of the interval.
    """

    metric: str
    method: str
    interval: Interval
    p: float
    p_holm: float

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at 5% over the methods of the table."""
        return self.p_holm < LEVEL

    @property
    def tested(self) -> bool:
        """Whether there were enough users for a test."""
        return not math.isnan(self.p)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Intervals by method and metric, and the differences of one method from the others.

    `users` is the number of users asked; with fewer than FEWEST_USERS in a metric, the ends of its
    interval are NaN.
    """

    intervals: Mapping[str, Mapping[str, Interval]]
    differences: tuple[Difference, ...]
    users: int

    def difference(self, method: str, metric: str) -> Difference | None:
        """Returns ours minus that method's in that metric; None if one of them lacks the metric."""
        pairs = ((d, d.method == method and d.metric == metric) for d in self.differences)
        return next((found for found, asked in pairs if asked), None)


@dataclass(frozen=True, slots=True, eq=False)
class _SampledMeasure:
    """The value of a measure over all users and over resamples of them."""

    estimate: float
    samples: Doubles
    unbiased: bool
    users: int

    @property
    def enough(self) -> bool:
        return self.users >= FEWEST_USERS

    def interval(self) -> Interval:
        if not self.enough:
            return Interval(self.estimate, math.nan, math.nan)
        if self.unbiased:
            return percentile_interval(self.estimate, self.samples)
        reach = _Z * float(np.nanstd(self.samples, ddof=1))
        return Interval(self.estimate, self.estimate - reach, self.estimate + reach)

    def minus(self, other: "_SampledMeasure") -> "_SampledMeasure":
        return _SampledMeasure(
            self.estimate - other.estimate,
            self.samples - other.samples,
            self.unbiased,
            min(self.users, other.users),
        )

    def p(self) -> float:
        """Returns the two-sided p-value of a value that is 0 under the null hypothesis.

        It inverts the percentile interval (Efron & Tibshirani 1993, ch. 15), or takes a normal
        distribution with the bootstrap's standard error if resamples are biased.
        """
        if self.unbiased:
            known = self.samples[np.isfinite(self.samples)]
            tail = 1 + min(int((known <= 0.0).sum()), int((known >= 0.0).sum()))
            return min(1.0, 2.0 * tail / (len(known) + 1))
        error = float(np.nanstd(self.samples, ddof=1))
        if error == 0.0:
            return 1.0 if self.estimate == 0.0 else 0.0
        return math.erfc(abs(self.estimate) / error / math.sqrt(2.0))


def compare(
    scores: Sequence[Scores], count: int, *, ours: str = "foldin", seed: int = 0
) -> Comparison:
    """Returns every method's intervals and the differences of the method `ours` from the others.

    Intervals are central 95% percentile intervals over resampled users. Coverage and Gini are
    biased in a resample, which has fewer distinct users; they have estimate ± 1.96 bootstrap
    standard errors.
    """
    users = user_positions(scores)
    found = {method.method: measures(method, users, count) for method in scores}
    return compare_measures(found, len(users), ours=ours, seed=seed)


def compare_measures(
    found: Mapping[str, Mapping[str, Measure]], users: int, *, ours: str, seed: int = 0
) -> Comparison:
    """Returns the comparison of measures over `users` users, given by method and metric."""
    sampled = _sampled(found, users, seed)
    intervals = {
        method: {metric: sample.interval() for metric, sample in own.items()}
        for method, own in sampled.items()
    }
    if ours not in sampled:
        return Comparison(intervals, (), users)
    others = {method: own for method, own in sampled.items() if method != ours}
    differences = [
        difference
        for metric, mine in sampled[ours].items()
        for difference in _differences(
            metric, mine, {name: own[metric] for name, own in others.items() if metric in own}
        )
    ]
    return Comparison(intervals, tuple(differences), users)


def holm(values: Sequence[float]) -> list[float]:
    """Returns the p-values corrected for their number (Holm 1979), in the same order."""
    order = np.argsort(values, kind="stable").tolist()
    corrected, least = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = least
    return corrected


def _differences(
    metric: str, mine: _SampledMeasure, others: Mapping[str, _SampledMeasure]
) -> list[Difference]:
    apart = {
        name: mine.minus(other)
        for name, other in others.items()
        if np.isfinite(mine.estimate) and np.isfinite(other.estimate)
    }
    tested = {name: sample.p() for name, sample in apart.items() if sample.enough}
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    return [
        Difference(
            metric,
            name,
            sample.interval(),
            tested.get(name, math.nan),
            corrected.get(name, math.nan),
        )
        for name, sample in apart.items()
    ]


def _sampled(
    found: Mapping[str, Mapping[str, Measure]], users: int, seed: int
) -> dict[str, dict[str, _SampledMeasure]]:
    rng = np.random.default_rng(seed)
    unweighted = np.ones((1, users))
    even = np.full(users, 1.0 / users)
    pairs = [(method, metric) for method, own in found.items() for metric in own]
    samples: dict[tuple[str, str], list[Doubles]] = {pair: [] for pair in pairs}
    for start in range(0, SAMPLES, BLOCK):
        weights = rng.multinomial(users, even, BLOCK).astype(np.float64)
        for method, metric in pairs:
            measure = found[method][metric]
            if measure.unbiased or start < DEVIATION_SAMPLES:
                samples[method, metric].append(measure.values(weights))
    return {
        method: {
            metric: _SampledMeasure(
                float(measure.values(unweighted)[0]),
                np.concatenate(samples[method, metric]),
                measure.unbiased,
                measure.users,
            )
            for metric, measure in own.items()
        }
        for method, own in found.items()
    }
