"""RMSE and MAE against numbers worked out by hand."""

import math

import numpy as np
from foldin_trainer.metrics.rating_metrics import mae, rmse

PREDICTED = np.array([3.0, 4.0, 2.0, 5.0])
ACTUAL = np.array([4.0, 4.0, 0.0, 3.0])


def test_rmse_is_the_root_of_the_mean_square() -> None:
    assert rmse(PREDICTED, ACTUAL) == 1.5


def test_mae_is_the_mean_absolute_error() -> None:
    assert mae(PREDICTED, ACTUAL) == 1.25


def test_both_are_zero_for_perfect_predictions() -> None:
    assert rmse(ACTUAL, ACTUAL) == mae(ACTUAL, ACTUAL) == 0.0


def test_nothing_predicted_is_not_a_perfect_score() -> None:
    assert math.isnan(rmse(np.zeros(0), np.zeros(0)))
    assert math.isnan(mae(np.zeros(0), np.zeros(0)))
