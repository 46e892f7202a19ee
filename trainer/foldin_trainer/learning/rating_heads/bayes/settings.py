"""How the rating head `bayes` is sampled: every number that decides which model comes out."""

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
    """The sampler's settings; the defaults suit 100,000 ratings and more."""

    factors: int = 16
    """K, the length of p_u and q_i in every single sample."""
    dimension: int = 32
    """Length of the vectors that the posterior mean is compressed to."""
    sweeps: int = 400
    """Sweeps of every chain, those of the burn-in included."""
    burn_in: int = 60
    """Sweeps at the start of a chain that count for nothing."""
    thin: int = 3
    """Every so many sweeps after the burn-in one is kept."""
    chains: int = 2
    """Chains from different starts, run one after the other; their samples are pooled.

    Pooled they predict better than one, and tell by R-hat whether they agree.
    """
    tags: bool = False
    """Whether the tags of items are side information.

    Off, as who tags an item has rated it, as a rule: tags tell of ratings held out for testing.
    """
    noise_degrees: float = 6.0
    """ν of the Gamma(ν/2, ν/2) that a user's and an item's noise precision come from."""
    device: DeviceName = "auto"
    seed: int = 0

    def shortened(self) -> Self:
        """One chain of half the sweeps, and at least one sample."""
        sweeps = max(self.sweeps // 2, self.burn_in + self.thin)
        return replace(self, chains=1, sweeps=sweeps)

    def __post_init__(self) -> None:
        check("bayes", self, LIMITS)
        if self.sweeps < self.burn_in + self.thin:
            raise FoldinError(
                f"{self.sweeps} sweeps leave no sample after {self.burn_in} of burn-in with one "
                f"kept in {self.thin}; take at least {self.burn_in + self.thin}"
            )
