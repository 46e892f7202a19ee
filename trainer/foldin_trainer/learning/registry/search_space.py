"""Values that a setting may take in a search, and how one of them is drawn.

A head declares its space in its registration; the search itself is `foldin_trainer.tuning`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from foldin_model.trained.manifest import Setting


class Draw(Protocol):
    """One trial of a search: it draws values and remembers them by name (as Optuna's trials do)."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...


class Range(Protocol):
    """Values that a setting may take."""

    def suggest(self, trial: Draw, name: str) -> Setting:
        """Returns one of them, drawn by the trial."""
        ...


@dataclass(frozen=True, slots=True)
class Real:
    """Numbers from `low` to `high`, evenly spread over their logarithms."""

    low: float
    high: float

    def suggest(self, trial: Draw, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True, slots=True)
class Share:
    """Numbers from `low` to `high`, evenly spread."""

    low: float
    high: float

    def suggest(self, trial: Draw, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole numbers from `low` to `high`, evenly spread over their logarithms."""

    low: int
    high: int

    def suggest(self, trial: Draw, name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, log=True)


Space = Mapping[str, Range]
"""Ranges by the name of the setting; "kept.0" is the first number of the tuple `kept`."""
