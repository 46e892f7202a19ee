"""Why an item is on a user's list: what each of the user's ratings contributes to its score.

score = base + Σ contributions, exactly: a user's vector is a base vector plus what each rating
contributes to it, in both heads. How the model was trained is not explained.
"""

from dataclasses import dataclass

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in.fold_in import vector_contributions
from foldin_model.ids import Row
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.personal.user_vectors import Profile, usable_history
from foldin_model.records.folded_users import FoldedUser
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class RatingContributions:
    """What each of n ratings contributes to a user's two vectors, `rows` in increasing order.

    `values` are the ratings, (n,); `ranking` and `rating` are (n, d).
    """

    rows: Rows
    values: Doubles
    ranking: Doubles
    rating: Doubles


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score in parts: base + the contributions of `reasons` + other.

    `reasons` are (row, contribution) of rated items, the largest contribution first.
    """

    base: float
    reasons: tuple[tuple[Row, float], ...]
    other: float


def rating_contributions(
    snapshot: Snapshot, user: FoldedUser, stored: StoredUser, profile: Profile = ()
) -> RatingContributions:
    """Returns what the ratings of `stored`, and those of `profile` over them, contribute to `user`.

    `stored` must have been read with its history. A `user` from a page token is explained by the
    present ratings. Raises ValueError where the history is missing.
    """
    model = snapshot.model
    rows, values = usable_history(model.catalog, stored, profile)
    return RatingContributions(
        rows,
        values,
        vector_contributions(model.ranking, rows, values, user.ranking_vector),
        vector_contributions(model.rating, rows, values, user.rating_vector),
    )


def explain(
    snapshot: Snapshot,
    user: FoldedUser,
    contributions: RatingContributions,
    rows: Rows,
    max_reasons: int,
) -> tuple[Explanation, ...]:
    """Explains the user's scores of the items at `rows` by the `max_reasons` weightiest ratings."""
    shares = _score_shares(snapshot, contributions, rows)
    base_query = snapshot.model.query(
        user.ranking_vector - contributions.ranking.sum(axis=0),
        user.rating_vector - contributions.rating.sum(axis=0),
    )
    bases = canonical_scores(snapshot.model.items, rows, base_query)
    return tuple(
        _explanation(float(base), contributions.rows, own, max_reasons)
        for base, own in zip(bases, shares, strict=True)
    )


def _score_shares(snapshot: Snapshot, contributions: RatingContributions, rows: Rows) -> Doubles:
    """(items, ratings): what each rating contributes to each score."""
    model = snapshot.model
    total = np.zeros((len(rows), len(contributions.rows)))
    for head, weight, to_vector in (
        (model.ranking, 1.0, contributions.ranking),
        (model.rating, model.rating_weight, contributions.rating),
    ):
        total += head.vectors[rows].astype(np.float64) @ (weight * to_vector).T
    return total


def _explanation(base: float, rated: Rows, shares: Doubles, max_reasons: int) -> Explanation:
    order = np.argsort(-np.abs(shares), kind="stable")
    named, rest = order[:max_reasons], order[max_reasons:]
    return Explanation(
        base,
        tuple((Row(int(rated[i])), float(shares[i])) for i in named),
        float(shares[rest].sum()),
    )
