"""What may be tuned of each method, and between which limits.

Names are those of `TrainSettings.flat`, so that what is found can be given to a training as it is.
How many passes the encoder makes is no setting to search: users held out tell it every time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import optuna
from foldin_model.trained.manifest import Setting


class Range(Protocol):
    """Values that a setting may take."""

    def suggest(self, trial: optuna.Trial, name: str) -> Setting:
        """One of them, chosen by the trial's sampler."""
        ...


@dataclass(frozen=True, slots=True)
class Real:
    """Numbers from `low` to `high`, evenly spread over their logarithms."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True, slots=True)
class Share:
    """Numbers from `low` to `high`, evenly spread."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole numbers from `low` to `high`, evenly spread over their logarithms."""

    low: int
    high: int

    def suggest(self, trial: optuna.Trial, name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, log=True)


Space = Mapping[str, Range]

MF: Space = MappingProxyType(
    {
        "mf.dimension": Whole(8, 128),
        "mf.learning_rate": Real(1e-3, 5e-2),
        "mf.l2": Real(1e-2, 1.0),
        "mf.bias_l2": Real(1e-3, 0.3),
        "mf.epochs": Whole(8, 40),
    }
)
BAYES: Space = MappingProxyType(
    {
        "bayes.factors": Whole(8, 32),
        "bayes.noise_degrees": Real(2.0, 30.0),
    }
)
IALS: Space = MappingProxyType(
    {
        "ials.dimension": Whole(16, 512),
        "ials.unobserved_weight": Real(0.05, 5.0),
        "ials.user_l2": Real(0.1, 50.0),
        "ials.item_l2": Real(0.1, 50.0),
        "ials.item_l2_exponent": Share(0.0, 1.0),
    }
)
EASE_HEAD: Space = MappingProxyType(
    {
        "ease.dimension": Whole(16, 128),
        "ease.l2": Real(5.0, 5_000.0),
        "ease.relief": Share(0.0, 1.0),
        "ease.content_weight": Real(0.1, 5.0),
    }
)
ENCODER: Space = MappingProxyType(
    {
        "encoder.dimension": Whole(16, 128),
        "encoder.start_l2": Real(20.0, 5_000.0),
        "encoder.start_sharpness": Real(10.0, 300.0),
        "encoder.target_weights.0": Share(0.0, 0.5),
        "encoder.target_weights.1": Share(0.1, 1.0),
        "encoder.kept.0": Share(0.2, 0.6),
        "encoder.kept.1": Share(0.7, 0.95),
        "encoder.anchor": Real(1e-5, 1e-1),
        "encoder.learning_rate": Real(1e-4, 5e-3),
    }
)
EASE: Space = MappingProxyType({"regularization": Real(5.0, 5_000.0)})
IMPLICIT: Space = MappingProxyType(
    {
        "factors": Whole(8, 256),
        "regularization": Real(0.01, 100.0),
        "alpha": Real(1.1, 100.0),
    }
)
