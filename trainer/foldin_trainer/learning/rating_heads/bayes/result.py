"""`BayesResult`: factors, the variances of predictions, and diagnostics of the sampling."""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles, Rows
from foldin_model.scale import Scale

from foldin_trainer.learning.rating_heads.factors import Epoch, RatingFactors
from foldin_trainer.learning.rating_heads.spread import Spread, interval


@dataclass(frozen=True, slots=True)
class Sweep:
    """One finished sweep, `number` of `sweeps` of a chain, which is `chain` of `chains`.

    `noise` is τ^(−1/2). `rmse` is the validation RMSE of the mean of all samples so far, None
    without a validation part or before the first sample.
    """

    chain: int
    chains: int
    number: int
    sweeps: int
    noise: float
    rmse: float | None

    @property
    def epoch(self) -> Epoch:
        """The sweep as an epoch, counted over all chains; its loss is the noise variance."""
        number = (self.chain - 1) * self.sweeps + self.number
        return Epoch(number, self.chains * self.sweeps, self.noise**2, self.rmse)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Convergence of one quantity over the samples of all chains."""

    name: str
    rhat: float
    effective_samples: float


@dataclass(frozen=True, slots=True, eq=False)
class BayesResult:
    """The compressed posterior mean as `factors`, averaged over `samples`."""

    factors: RatingFactors
    spread: Spread
    scale: Scale
    samples: int
    sweeps: tuple[Sweep, ...]
    diagnostics: tuple[Diagnostic, ...]

    def metrics(self) -> dict[str, float]:
        """Returns the number of samples, the worst R-hat and the smallest effective sample size.

        A manifest keeps them. The last two are left out if there are too few samples for them.
        """
        found = {
            "samples": float(self.samples),
            "worst_rhat": max(each.rhat for each in self.diagnostics),
            "smallest_effective_samples": min(d.effective_samples for d in self.diagnostics),
        }
        return {name: number for name, number in found.items() if np.isfinite(number)}

    def interval(self, users: Rows, items: Rows, level: float = 0.9) -> tuple[Doubles, Doubles]:
        """Returns the ends (n,) of intervals that hold these ratings with probability `level`."""
        factors = self.factors
        products = np.einsum(
            "nd,nd->n", factors.user_vectors[users], factors.item_vectors[items], dtype=np.float64
        )
        predicted = (
            factors.mean + factors.user_biases[users] + factors.item_biases[items] + products
        )
        return interval(predicted, self.spread.deviations(users, items), self.scale, level)
