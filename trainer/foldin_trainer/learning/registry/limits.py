"""Limits of settings, so that impossible values are refused before any training.

The tables of limits are beside the settings of every head; this module has the kinds of limits.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from foldin_model.errors import FoldinError

from foldin_trainer.learning.devices import DEVICES

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Within:
    """Finite numbers from `low` to `high`; with `above`, `low` itself is excluded."""

    low: float
    high: float = math.inf
    above: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return value != math.inf and not (self.above and value == self.low)

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"a number above {self.low:,}" if self.above else f"at least {self.low:,}"
        above = "above " if self.above else ""
        return f"{above}{self.low:,} to {self.high:,}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.words

    def __str__(self) -> str:
        return " or ".join(self.words)


Limits = Mapping[str, Within | OneOf]

DIMENSIONS: Final = Within(2, 1024)
COUNT: Final = Within(1, 1_000_000)
POSITIVE: Final = Within(0.0, above=True)
NOT_NEGATIVE: Final = Within(0.0)
SHARE: Final = Within(0.0, 1.0)
RATE: Final = Within(0.0, 1.0, above=True)
FACTOR: Final = Within(-10.0, 10.0)
SEED: Final = Within(0, 2**32 - 1)
"""The range that NumPy and scikit-learn both accept."""
DEVICE: Final = OneOf(DEVICES)


def check(part: str, settings: "DataclassInstance", limits: Limits) -> None:
    """Checks settings, and each number of a tuple, against their limits; None passes.

    Raises FoldinError, which gives the flat name, such as "mf.l2" or "encoder.kept.0".
    """
    for name, limit in limits.items():
        value = getattr(settings, name)
        if isinstance(value, tuple):
            for place, one in enumerate(value):
                _check(f"{part}.{name}.{place}", one, limit)
        else:
            _check(f"{part}.{name}", value, limit)


def _check(name: str, value: object, limit: Within | OneOf) -> None:
    if value is not None and value not in limit:
        raise FoldinError(f"{name} is {value}, it must be {limit}")
