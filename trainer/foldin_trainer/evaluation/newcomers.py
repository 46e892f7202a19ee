"""How much of sampling a newcomer gets: her fold-in against the samples' own conditionals.

Both see the same ratings of users that no sample was drawn with. The served head averages first
and conditions then; the reference conditions on every sample and averages what they say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.quadratic_head import QuadraticHead

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.evaluation.rating_metrics import rmse
from foldin_trainer.learning.bayes.chain import State
from foldin_trainer.learning.bayes.features import item_features, user_features
from foldin_trainer.learning.bayes.run import Run
from foldin_trainer.learning.bayes.settings import BayesSettings
from foldin_trainer.learning.questions import Question, questions_of
from foldin_trainer.learning.tuning import HISTORY_RIDGES, tune_rating
from foldin_trainer.splits import held_out_users

RATINGS: Final = (1, 2, 5, 10, 20, None)


@dataclass(frozen=True, slots=True)
class Gap:
    """RMSE over `users` newcomers of whom `ratings` are known, None: four fifths of theirs."""

    ratings: int | None
    users: int
    folded: float
    sampled: float

    @property
    def gap(self) -> float:
        """How much worse the fold-in predicts than the samples' conditionals do."""
        return self.folded - self.sampled


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """What one sample says of newcomers: x ~ N(Bᵀf, Λ⁻¹) and r ~ N(μ + c_i + [1, q_i]·x, 1/τδ_i).

    `designs` are (n_items, 1 + K), `biases` c and `precisions` τδ (n_items,), `constant` (1 + K,)
    and `effects` (n_items, 1 + K) the rows of B. A newcomer's own noise is the average user's.
    """

    mean: float
    designs: Doubles
    biases: Doubles
    precisions: Doubles
    constant: Doubles
    effects: Doubles
    precision: Doubles

    @classmethod
    def of(cls, state: State, mean: float) -> "Conditional":
        """The conditional under the current sample of a chain that knows no user attributes."""
        items = state.items.vectors.double().cpu().numpy()
        known = state.users.prior.coefficients.double().cpu().numpy()
        return cls(
            mean=mean,
            designs=np.column_stack((np.ones(len(items)), items[:, 1:])),
            biases=items[:, 0],
            precisions=state.precision * state.items.noise.double().cpu().numpy(),
            constant=known[0],
            effects=known[1 : 1 + len(items)],
            precision=state.users.prior.precision,
        )

    def predict(self, question: Question) -> Doubles:
        """The hidden ratings (n,), not clipped."""
        rows = question.rows
        prior = self.constant + self.effects[rows].sum(axis=0) / max(len(rows), 1) ** 0.5
        weighted = self.designs[rows] * self.precisions[rows, None]
        normal = self.precision + weighted.T @ self.designs[rows]
        left = question.values - self.mean - self.biases[rows]
        vector = np.linalg.solve(normal, self.precision @ prior + left @ weighted)
        hidden = question.hidden_rows
        told = self.mean + self.biases[hidden] + self.designs[hidden] @ vector
        return np.asarray(told, np.float64)


def newcomer_gaps(dataset: Dataset, settings: BayesSettings, seed: int = 0) -> Iterator[Gap]:
    """Gaps for histories of every one of RATINGS.

    One user in five takes no part in the sampling; half of those choose the prior's constants and
    the other half are asked about.
    """
    ratings = dataset.ratings
    held = next(held_out_users(ratings, 5, seed))
    known = ratings.take(held.train_index)
    about_items = item_features(known, dataset.items)
    run = Run(known, user_features(known), about_items, settings, None)
    asked = questions_of(ratings, held.cases[1::2], RATINGS)
    sums = [[np.zeros(len(q.hidden_rows)) for q in group] for group in asked]
    for sample in _samples(run):
        sums = [
            [total + sample.predict(question) for question, total in zip(*pair, strict=True)]
            for pair in zip(asked, sums, strict=True)
        ]
    factors = run.result().factors
    chosen = questions_of(ratings, held.cases[::2])
    head = tune_rating(factors, known, chosen, HISTORY_RIDGES).head
    samples = run.posterior.samples
    for length, group, told in zip(RATINGS, asked, sums, strict=True):
        yield Gap(
            ratings=length,
            users=len(group),
            folded=_error(dataset, group, [_folded(head, q) for q in group]),
            sampled=_error(dataset, group, [total / samples for total in told]),
        )


def _samples(run: Run) -> Iterator[Conditional]:
    """Every sample that is kept, as it is drawn."""
    kept = 0
    while not run.done:
        run.sweep()
        if run.posterior.samples > kept:
            kept = run.posterior.samples
            yield Conditional.of(run.chain.state, run.data.mean)


def _folded(head: QuadraticHead, question: Question) -> Doubles:
    vector = fold(head, question.rows, question.values, head.prior).vector
    return head.score(question.hidden_rows, vector)


def _error(dataset: Dataset, group: Sequence[Question], told: Sequence[Doubles]) -> float:
    scale = dataset.ratings.scale
    predicted = np.clip(np.concatenate(told), scale.low, scale.high)
    return rmse(predicted, np.concatenate([question.hidden_values for question in group]))
