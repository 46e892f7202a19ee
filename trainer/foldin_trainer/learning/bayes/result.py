"""What `bayes` hands on: factors in the form of `mf`'s, their spread, and how far to trust them."""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles, Rows
from foldin_model.heads import Scale

from foldin_trainer.learning.bayes.spread import Spread, interval
from foldin_trainer.learning.mf import Epoch, MfResult


@dataclass(frozen=True, slots=True)
class Sweep:
    """One finished sweep of a chain.

    `noise` is τ^(−1/2). `rmse` is that of the mean of all samples so far on the validation part,
    None without one or before the first sample.
    """

    chain: int
    number: int
    sweeps: int
    noise: float
    rmse: float | None

    @property
    def epoch(self) -> Epoch:
        """The same in the words of `mf`, its loss the variance of the noise."""
        return Epoch(self.number, self.sweeps, self.noise**2, self.rmse)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One quantity followed over the samples of all chains."""

    name: str
    rhat: float
    effective_samples: float


@dataclass(frozen=True, slots=True, eq=False)
class BayesResult:
    """The posterior mean, compressed, as `factors`; `samples` were averaged for it."""

    factors: MfResult
    spread: Spread
    scale: Scale
    samples: int
    sweeps: tuple[Sweep, ...]
    diagnostics: tuple[Diagnostic, ...]

    def interval(self, users: Rows, items: Rows, level: float = 0.9) -> tuple[Doubles, Doubles]:
        """Low and high ends (n,) of where the ratings of those pairs lie with chance `level`."""
        mf = self.factors
        products = np.einsum(
            "nd,nd->n", mf.user_vectors[users], mf.item_vectors[items], dtype=np.float64
        )
        predicted = mf.mean + mf.user_biases[users] + mf.item_biases[items] + products
        return interval(predicted, self.spread.deviations(users, items), self.scale, level)
