"""RMSE and MAE of predicted ratings."""

import numpy as np
from foldin_model.arrays import Doubles


def rmse(predicted: Doubles, actual: Doubles) -> float:
    """Returns the root mean squared error √(Σ (r̂ − r)² / n) of (n,) predictions, in rating units.

    NaN if n = 0.
    """
    return float(np.sqrt(_mean(np.square(predicted - actual))))


def mae(predicted: Doubles, actual: Doubles) -> float:
    """Returns the mean absolute error Σ |r̂ − r| / n of (n,) predictions, in rating units.

    NaN if n = 0.
    """
    return _mean(np.abs(predicted - actual))


def _mean(errors: Doubles) -> float:
    return float(errors.mean()) if errors.size else float("nan")
