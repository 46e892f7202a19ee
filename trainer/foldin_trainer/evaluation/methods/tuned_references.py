"""The reference rankers, tuned on users inside a training part for a fair comparison.

Each is tuned twice, for all hidden ratings and for the liked ones, because the best settings for
one can be poor for the other. Tuning never uses test users.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.references import AlsSettings, Ease, ImplicitAls
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, Trial, trials
from foldin_trainer.evaluation.trial_scores import score

EASE_GRID: Final = (30.0, 60.0, 100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 1000.0)
ALS_GRID: Final = tuple(
    AlsSettings(factors, regularization, alpha)
    for factors in (32, 64, 128)
    for regularization, alpha in ((1.0, 1.5), (3.0, 1.5), (10.0, 1.5), (5.0, 2.0), (10.0, 3.0))
)
COUNT: Final = 10

S = TypeVar("S")
R = TypeVar("R", Ease, ImplicitAls)


def tuned_references(train: Ratings) -> list[Method]:
    """Returns EASE and implicit ALS fitted to `train`, each tuned for either target."""
    return [*tuned_ease(train), *tuned_als(train)]


def tuned_ease(train: Ratings) -> tuple[Ease, Ease]:
    """Returns EASE tuned for all hidden ratings, and for the liked ones."""
    return _tuned(Ease.fit, EASE_GRID, train, validation_trial(train))


def tuned_als(train: Ratings) -> tuple[ImplicitAls, ImplicitAls]:
    """Returns implicit ALS tuned for all hidden ratings, and for the liked ones."""
    return _tuned(ImplicitAls.fit, ALS_GRID, train, validation_trial(train))


def validation_trial(train: Ratings) -> Trial:
    """Returns a trial with an eighth of the training users, held out as test users are."""
    return next(trials("held-out-users", train, ProtocolSettings(folds=8, seed=1)))


def _tuned(
    fit: Callable[[Ratings, S], R], grid: Sequence[S], train: Ratings, trial: Trial
) -> tuple[R, R]:
    found = [score(fit(trial.train, settings), trial, COUNT) for settings in grid]
    for_all = int(np.argmax([scores.everything.ndcg.mean() for scores in found]))
    for_liked = int(np.argmax([scores.liked.ndcg.mean() for scores in found]))
    first = fit(train, grid[for_all])
    second = first if for_liked == for_all else fit(train, grid[for_liked])
    return first, replace(second, name=f"{first.name}, tuned for liked")
