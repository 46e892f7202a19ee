"""One user for an answer: folded, asked about, and explained rating by rating."""

from dataclasses import dataclass

from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in.fold_in import moves
from foldin_model.personal.user_vectors import Extra, fold_users, history_of, usable_histories
from foldin_model.records.folded_users import FoldedUser
from foldin_model.records.rating_history import History
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.uncertainty import VectorPosterior, interval


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


def fold_user(snapshot: Snapshot, state: StoredUser, extra: Extra = ()) -> FoldedUser:
    """The user of `state` as this version sees her, with `extra` ratings over the stored ones.

    As `fold_users` has it. Raises ArtifactCorrupt.
    """
    folding = fold_users(snapshot, [state], [extra])
    if folding.users is None:
        raise folding.failures[0]
    return folding.users.user(0)


def popular_user(snapshot: Snapshot, revision: int = 0) -> FoldedUser:
    """A user of whom nothing is known."""
    return fold_user(snapshot, StoredUser(revision, history=History.empty()))


def query_of(snapshot: Snapshot, user: FoldedUser) -> Doubles:
    """The retrieval query of a user."""
    return snapshot.model.query(user.ranking_vector, user.rating_vector)


def explain_user(
    snapshot: Snapshot,
    state: StoredUser,
    extra: Extra = (),
    user: FoldedUser | None = None,
) -> ExplainedUser:
    """What explaining needs: the folded user and how much each rating moved her vectors.

    `state` must have been read with its history. A `user` from a page token is explained by the
    ratings that there are now.
    """
    model = snapshot.model
    rows, values = _usable(model.catalog, history_of(state), extra)
    if user is None:
        user = fold_user(snapshot, state, extra)
    return ExplainedUser(
        user,
        rows,
        values,
        moves(model.ranking, rows, values, user.ranking_vector),
        moves(model.rating, rows, values, user.rating_vector),
    )


def rating_intervals(
    snapshot: Snapshot,
    state: StoredUser,
    user: FoldedUser,
    rows: Rows,
    extra: Extra = (),
) -> tuple[Doubles, Doubles] | None:
    """Low and high ends (n,) of where nine in ten of her ratings of the items at `rows` lie.

    None where the model does not keep how unsure it is, or the state has no history to tell from.
    """
    model = snapshot.model
    uncertainty, head = model.uncertainty, model.rating
    if uncertainty is None or state.history is None:
        return None
    rated, values = _usable(model.catalog, state.history, extra)
    vector, trained = user.rating_vector, state.trained is not None
    unsure = VectorPosterior.of(head, uncertainty, rated, values, vector, trained=trained)
    reaches = unsure.reaches(head, uncertainty, rows)
    return interval(head.score(rows, vector), reaches, model.scale)


def _usable(catalog: Catalog, history: History, extra: Extra) -> tuple[Rows, Doubles]:
    histories, _ = usable_histories(catalog, [history], [extra])
    return histories[0]
