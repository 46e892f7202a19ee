"""From what the store keeps of a user to the vectors that her answer is made with.

The whole history is folded, in row order. A history that is the trained one needs no solve; vectors
are rounded to float32, as they are stored, so that a kept state and a fresh one answer alike.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.catalog import Catalog
from foldin_model.folding import fold, moves, rounded
from foldin_model.ids import ItemId
from foldin_model.model import Model
from foldin_model.ratings import History
from foldin_model.snapshot import Snapshot
from foldin_model.store.protocols import UserState
from foldin_model.uncertainty import UserUncertainty, interval
from foldin_model.users import FoldedUser, Personalization, TrainedUser, digest


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedUser:
    """A user with the ratings behind her vectors, all (n,), `rows` in increasing order.

    Each head's vector is some constant plus the sum of the moves, (n, d), of the ratings.
    """

    user: FoldedUser
    rows: Rows
    values: Doubles
    ranking_moves: Doubles
    rating_moves: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The ratings that the model can use, `rows` in increasing order, and how many there are."""

    rows: Rows
    values: Doubles
    rating_count: int


def fold_user(
    snapshot: Snapshot, state: UserState, extra: Sequence[tuple[ItemId, float]] = ()
) -> FoldedUser:
    """The user of `state` as this version sees her, with `extra` ratings over the stored ones.

    TRAINED where the ratings are those she was trained on, POPULAR where the model knows nothing
    of her, else FOLDED_IN. `extra` needs a state read with its history. Raises ArtifactCorrupt.
    """
    model = snapshot.model
    if state.folded is not None and not extra:
        return FoldedUser.unpack(state.folded, len(model.ranking_prior), len(model.rating_prior))
    known = _known(model.catalog, _history(state), extra)
    personalization, ranking, rating = _vectors(model, known, _trained(model, state))
    return FoldedUser(
        version=snapshot.version,
        revision=state.revision,
        rating_count=known.rating_count,
        personalization=personalization,
        ranking_vector=rounded(ranking),
        rating_vector=rounded(rating),
        seen=known.rows,
        lasting=_lasting(snapshot, known),
    )


def popular_user(snapshot: Snapshot, revision: int = 0) -> FoldedUser:
    """A user of whom nothing is known."""
    return fold_user(snapshot, UserState(revision, history=History.empty()))


def query_of(snapshot: Snapshot, user: FoldedUser) -> Doubles:
    """The retrieval query of a user."""
    return snapshot.model.query(user.ranking_vector, user.rating_vector)


def explain_user(
    snapshot: Snapshot,
    state: UserState,
    extra: Sequence[tuple[ItemId, float]] = (),
    user: FoldedUser | None = None,
) -> ExplainedUser:
    """What explaining needs: the folded user and how much each rating moved her vectors.

    `state` must have been read with its history. A `user` from a page token is explained by the
    ratings that there are now.
    """
    model = snapshot.model
    known = _known(model.catalog, _history(state), extra)
    if user is None:
        user = fold_user(snapshot, state, extra)
    return ExplainedUser(
        user,
        known.rows,
        known.values,
        moves(model.ranking, known.rows, known.values, user.ranking_vector),
        moves(model.rating, known.rows, known.values, user.rating_vector),
    )


def rating_intervals(
    snapshot: Snapshot,
    state: UserState,
    user: FoldedUser,
    rows: Rows,
    extra: Sequence[tuple[ItemId, float]] = (),
) -> tuple[Doubles, Doubles] | None:
    """Low and high ends (n,) of where nine in ten of her ratings of the items at `rows` lie.

    None where the model does not keep how unsure it is, or the state has no history to tell from.
    """
    model = snapshot.model
    uncertainty, head = model.uncertainty, model.rating
    if uncertainty is None or state.history is None:
        return None
    known = _known(model.catalog, state.history, extra)
    vector, trained = user.rating_vector, state.trained is not None
    unsure = UserUncertainty.of(
        head, uncertainty, known.rows, known.values, vector, trained=trained
    )
    reaches = unsure.reaches(head, uncertainty, rows)
    return interval(head.score(rows, vector), reaches, model.scale)


def _history(state: UserState) -> History:
    if state.history is None:
        raise ValueError("the state was read without its history; read it with history=True")
    return state.history


def _trained(model: Model, state: UserState) -> TrainedUser | None:
    if state.trained is None:
        return None
    return TrainedUser.unpack(state.trained, len(model.ranking_prior), len(model.rating_prior))


def _known(catalog: Catalog, history: History, extra: Sequence[tuple[ItemId, float]]) -> _Known:
    item_ids: Collection[ItemId] = history.item_ids
    values = history.values
    if extra:
        ratings = dict(zip(item_ids, values.tolist(), strict=True))
        ratings.update(extra)
        item_ids, values = ratings, np.array([*ratings.values()], np.float64)
    found = map(catalog.rows_by_id.get, item_ids)
    rows = np.array([-1 if row is None else row for row in found], np.int32)
    order = np.argsort(rows, kind="stable")
    order = order[np.count_nonzero(rows < 0) :]
    return _Known(rows[order], values[order], len(item_ids))


def _lasting(snapshot: Snapshot, known: _Known) -> bool:
    """Whether all ratings are of the version's own items: others may come, move or be new."""
    rows = known.rows
    return len(rows) == known.rating_count and (len(rows) == 0 or snapshot.is_own(rows[-1]))


def _vectors(
    model: Model, known: _Known, trained: TrainedUser | None
) -> tuple[Personalization, Doubles, Doubles]:
    rows, values = known.rows, known.values
    if trained is None:
        if len(rows) == 0:
            return Personalization.POPULAR, model.ranking_prior, model.rating_prior
        ranking_base, rating_base = model.ranking_prior, model.rating_prior
    elif trained.digest == digest(rows, values):
        return Personalization.TRAINED, trained.ranking_vector, trained.rating_vector
    else:
        ranking_base, rating_base = trained.ranking_base, trained.rating_base
    ranking = fold(model.ranking, rows, values, ranking_base).vector
    rating = fold(model.rating, rows, values, rating_base).vector
    return Personalization.FOLDED_IN, ranking, rating
