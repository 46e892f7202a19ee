"""Compares a fold-in of a few steps with the exact solve, for users held out of training.

`foldin_model.fold_in.fold_in` says how a fold-in works.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles, Mask, Rows
from foldin_model.fold_in.fold_in import fold
from foldin_model.trained.model import Model

from foldin_trainer.metrics.cases import Case
from foldin_trainer.metrics.lists import best
from foldin_trainer.metrics.rating_metrics import rmse

HeldOutCases = tuple[Model, Sequence[Case]]
"""A model, and cases of users that it was not trained on."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Steps against the exact solve for histories of `ratings` ratings, over `users` users.

    RMSE is on the users' other ratings. `overlap` is the mean share of the exact ranking head's
    first ten items that are among the steps' first ten, `least_overlap` the lowest of any user.
    """

    ratings: int
    users: int
    rmse_exact: float
    rmse_steps: float
    overlap: float
    least_overlap: float

    @property
    def rmse_ratio(self) -> float:
        """The RMSE of the steps divided by that of the exact solve."""
        return self.rmse_steps / self.rmse_exact


def shortened(case: Case, ratings: int, seed: int) -> Case | None:
    """Returns the case with `ratings` random ones of all its ratings given and the rest hidden.

    None if that leaves nothing hidden.
    """
    rows = np.concatenate((case.given_rows, case.hidden_rows))
    values = np.concatenate((case.given_values, case.hidden_values))
    if len(rows) <= ratings:
        return None
    order = np.random.default_rng(seed).permutation(len(rows))
    given, hidden = np.sort(order[:ratings]), np.sort(order[ratings:])
    given, hidden = given[np.argsort(rows[given])], hidden[np.argsort(rows[hidden])]
    return Case(case.user_id, rows[given], values[given], rows[hidden], values[hidden])


def agreement(
    questions: Sequence[HeldOutCases], sizes: Sequence[int], *, steps: int = 3
) -> Iterator[Agreement]:
    """Yields one entry for each size of history that some held-out user exceeds.

    The rows of the cases must be rows of the models.
    """
    for size in sizes:
        short = [
            (model, [c for seed, case in enumerate(cases) if (c := shortened(case, size, seed))])
            for model, cases in questions
        ]
        asked = [(model, cases) for model, cases in short if cases]
        if asked:
            yield _agreement(asked, size, steps)


def fold_in_rmse(questions: Sequence[HeldOutCases], *, steps: int | None) -> float:
    """Returns the RMSE on the hidden ratings of users folded in; exactly if `steps` is None."""
    pairs = [(model, case) for model, cases in questions for case in cases]
    predicted = np.concatenate([predict(model, case, steps) for model, case in pairs])
    return rmse(predicted, np.concatenate([case.hidden_values for _, case in pairs]))


def predict(model: Model, case: Case, steps: int | None) -> Doubles:
    """Returns predictions for the hidden ratings of a new user, clipped to the scale."""
    head = model.rating
    vector = fold(head, case.given_rows, case.given_values, head.prior, steps=steps).vector
    return np.clip(head.score(case.hidden_rows, vector), model.scale.low, model.scale.high)


def _agreement(questions: Sequence[HeldOutCases], size: int, steps: int) -> Agreement:
    exact, stepped = (
        np.concatenate([_first_ten(model, cases, limit) for model, cases in questions])
        for limit in (None, steps)
    )
    shares = np.array(
        [np.isin(ours, theirs).mean() for ours, theirs in zip(stepped, exact, strict=True)]
    )
    return Agreement(
        ratings=size,
        users=len(shares),
        rmse_exact=fold_in_rmse(questions, steps=None),
        rmse_steps=fold_in_rmse(questions, steps=steps),
        overlap=float(shares.mean()),
        least_overlap=float(shares.min()),
    )


def _first_ten(model: Model, cases: Sequence[Case], steps: int | None) -> Rows:
    head = model.ranking
    vectors = np.array(
        [
            fold(head, case.given_rows, case.given_values, head.prior, steps=steps).vector
            for case in cases
        ]
    )
    given: Mask = np.zeros((len(cases), len(head.vectors)), np.bool_)
    for place, case in enumerate(cases):
        given[place, case.given_rows] = True
    return best(vectors @ head.vectors.astype(np.float64).T, given, 10)
