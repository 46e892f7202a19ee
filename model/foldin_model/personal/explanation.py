"""Why an item is on the list: the share of its score that each rating of the user brought in.

score = base + Σ contributions exactly, for the vectors are base vectors plus how far each rating
moved them in both heads. What moves the order is told; how the model was trained is not.
"""

from dataclasses import dataclass

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.ids import Row
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.personal.personal_model import ExplainedUser
from foldin_model.trained.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Explanation:
    """base + the contributions of `reasons`, (row, contribution) by size, + other = score."""

    base: float
    reasons: tuple[tuple[Row, float], ...]
    other: float


def explain(
    snapshot: Snapshot, explained: ExplainedUser, rows: Rows, max_reasons: int
) -> tuple[Explanation, ...]:
    """Explains the scores of the items at `rows`, each by its `max_reasons` weightiest ratings."""
    parts = _contributions(snapshot, explained, rows)
    bases = canonical_scores(snapshot.model.items, rows, _base_query(snapshot, explained))
    return tuple(
        _told(float(base), explained.rows, part, max_reasons)
        for base, part in zip(bases, parts, strict=True)
    )


def _contributions(snapshot: Snapshot, explained: ExplainedUser, rows: Rows) -> Doubles:
    """(items, ratings): what each rating brings into each score."""
    model = snapshot.model
    total = np.zeros((len(rows), len(explained.rows)))
    for head, share, moved in (
        (model.ranking, 1.0, explained.ranking_moves),
        (model.rating, model.rating_weight, explained.rating_moves),
    ):
        total += head.vectors[rows].astype(np.float64) @ (share * moved).T
    return total


def _base_query(snapshot: Snapshot, explained: ExplainedUser) -> Doubles:
    """The query that is left without the ratings."""
    user = explained.user
    return snapshot.model.query(
        user.ranking_vector - explained.ranking_moves.sum(axis=0),
        user.rating_vector - explained.rating_moves.sum(axis=0),
    )


def _told(base: float, rated: Rows, contributions: Doubles, max_reasons: int) -> Explanation:
    order = np.argsort(-np.abs(contributions), kind="stable")
    told, rest = order[:max_reasons], order[max_reasons:]
    return Explanation(
        base,
        tuple((Row(int(rated[i])), float(contributions[i])) for i in told),
        float(contributions[rest].sum()),
    )
