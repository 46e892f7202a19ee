"""The scale that ratings lie on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The closed interval that ratings lie in."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high
