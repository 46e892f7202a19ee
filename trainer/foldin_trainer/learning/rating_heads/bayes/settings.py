"""Settings of the rating head `bayes` and their limits."""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Self

from foldin_model.errors import FoldinError

from foldin_trainer.learning.devices import DeviceName
from foldin_trainer.learning.registry.limits import (
    COUNT,
    DEVICE,
    DIMENSIONS,
    POSITIVE,
    SEED,
    Limits,
    Within,
    check,
)

LIMITS: Final[Limits] = MappingProxyType(
    {
        "factors": Within(1, DIMENSIONS.high),
        "dimension": DIMENSIONS,
        "sweeps": COUNT,
        "burn_in": Within(0, COUNT.high),
        "thin": COUNT,
        "chains": COUNT,
        "noise_degrees": POSITIVE,
        "device": DEVICE,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class BayesSettings:
    """How the posterior is sampled; the defaults suit 100,000 ratings and more."""

    factors: int = 16
    """K, the length of p_u and q_i in every single sample."""
    dimension: int = 32
    """Length of the served vectors, to which the posterior mean is compressed."""
    sweeps: int = 400
    """Sweeps of every chain, including the burn-in."""
    burn_in: int = 60
    """Sweeps at the start of a chain that give no samples."""
    thin: int = 3
    """One sample is kept in this many sweeps after the burn-in."""
    chains: int = 2
    """Chains from different starts, run one after the other; their samples are pooled.

    Several predict better than one, and R-hat shows whether they agree.
    """
    tags: bool = False
    """Whether the tags of items are side information.

    Off by default: users who tag an item have usually rated it, so that tags leak ratings that are
    held out for testing.
    """
    noise_degrees: float = 6.0
    """ν of the Gamma(ν/2, ν/2) that a user's and an item's noise precision come from."""
    device: DeviceName = "auto"
    seed: int = 0

    def shortened(self) -> Self:
        """Returns settings for one chain of half the sweeps, with at least one sample."""
        sweeps = max(self.sweeps // 2, self.burn_in + self.thin)
        return replace(self, chains=1, sweeps=sweeps)

    def __post_init__(self) -> None:
        check("bayes", self, LIMITS)
        if self.sweeps < self.burn_in + self.thin:
            raise FoldinError(
                f"{self.sweeps} sweeps leave no sample after {self.burn_in} of burn-in with one "
                f"kept in {self.thin}; take at least {self.burn_in + self.thin}"
            )
