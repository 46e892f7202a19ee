"""Settings of a linear encoder and their limits."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from foldin_model.errors import FoldinError

from foldin_trainer.learning.registry.limits import (
    COUNT,
    DIMENSIONS,
    FACTOR,
    NOT_NEGATIVE,
    POSITIVE,
    RATE,
    SEED,
    SHARE,
    Limits,
    check,
)

LIMITS: Final[Limits] = MappingProxyType(
    {
        "dimension": DIMENSIONS,
        "start_l2": POSITIVE,
        "start_sharpness": POSITIVE,
        "start_factors": FACTOR,
        "target_weights": NOT_NEGATIVE,
        "kept": SHARE,
        "anchor": NOT_NEGATIVE,
        "learning_rate": RATE,
        "batch_users": COUNT,
        "epochs": COUNT,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How a linear encoder is trained.

    Functions of a rating's value have a number at the minimum, the middle and the maximum of the
    scale. The middle is that of `rating_weights.rule_for`.
    """

    dimension: int = 94
    start_l2: float = 300.0
    """λ of the EASE model that training starts from."""
    start_sharpness: float = 60.0
    """Multiplies its scores, which then are logarithms of probabilities."""
    start_factors: tuple[float, float, float] = (-0.3, 1.0, 1.0)
    """ρ before training. At the minimum of the scale it stays at or below 0."""
    target_weights: tuple[float, float, float] = (0.1, 0.3, 1.0)
    """The weight of a rated item in the loss, so that items which users like come first."""
    kept: tuple[float, float] = (0.5, 0.9)
    """The range of the share of a history that is given; the rest is to be predicted."""
    anchor: float = 1e-3
    """L2 of the distance of the vectors from their start."""
    learning_rate: float = 5e-4
    batch_users: int = 128
    epochs: int = 50
    """At most; validation users decide when to stop."""
    seed: int = 0

    def __post_init__(self) -> None:
        check("encoder", self, LIMITS)
        low, high = self.kept
        if low > high:
            raise FoldinError(f"encoder.kept.0 is {low}, it must be at most encoder.kept.1, {high}")
        if not any(self.target_weights):
            raise FoldinError("encoder.target_weights are all 0; one must be above 0")
