"""Prediction intervals of one user: where nine in ten of the ratings that they would give lie."""

from foldin_model.arrays import Doubles, Rows
from foldin_model.personal.user_vectors import Profile, usable_history
from foldin_model.records.folded_users import FoldedUser
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.uncertainty import VectorPosterior, interval


def rating_intervals(
    snapshot: Snapshot,
    stored: StoredUser,
    user: FoldedUser,
    rows: Rows,
    profile: Profile = (),
) -> tuple[Doubles, Doubles] | None:
    """Returns low and high ends (n,) that hold nine in ten ratings of the items at `rows`.

    None where the model keeps no uncertainty, or `stored` was read without its history.
    """
    model = snapshot.model
    uncertainty, head = model.uncertainty, model.rating
    if uncertainty is None or stored.history is None:
        return None
    rated, values = usable_history(model.catalog, stored, profile)
    vector, trained = user.rating_vector, stored.trained is not None
    posterior = VectorPosterior.of(head, uncertainty, rated, values, vector, trained=trained)
    half_widths = posterior.half_widths(head, uncertainty, rows)
    return interval(head.score(rows, vector), half_widths, model.scale)
