"""From what the store keeps of users to the vectors that their answers are made with.

The whole history is folded, in row order. A history that is the trained one needs no solve; vectors
are rounded to float32, as they are stored, so that a kept state and a fresh one answer alike.
"""

from collections.abc import Sequence

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.catalog import Catalog
from foldin_model.errors import ArtifactCorrupt
from foldin_model.folding import rounded
from foldin_model.folding_together import Histories, fold_together
from foldin_model.ids import ItemId
from foldin_model.model import Model
from foldin_model.ratings import History
from foldin_model.snapshot import Snapshot
from foldin_model.store.protocols import UserState
from foldin_model.texts import Texts
from foldin_model.users import FoldedUser, Personalization, TrainedUser, digest_in_order

Extra = Sequence[tuple[ItemId, float]]
"""Ratings of one user that count over the stored ones."""


def fold_users(
    snapshot: Snapshot, states: Sequence[UserState], extras: Sequence[Extra] | None = None
) -> list[FoldedUser | ArtifactCorrupt]:
    """The users of `states` as this version sees them, with their `extras`, all (m,).

    TRAINED where the ratings are those she was trained on, POPULAR where the model knows nothing
    of her, else FOLDED_IN. `extras` need states read with their history.
    """
    users: list[FoldedUser | ArtifactCorrupt | None] = [None] * len(states)
    trained: dict[int, TrainedUser] = {}
    extras = extras or [()] * len(states)
    dimensions = len(snapshot.model.ranking_prior), len(snapshot.model.rating_prior)
    for place, (state, extra) in enumerate(zip(states, extras, strict=True)):
        try:
            if state.folded is not None and not extra:
                users[place] = FoldedUser.unpack(state.folded, *dimensions)
            elif state.trained is not None:
                trained[place] = TrainedUser.unpack(state.trained, *dimensions)
        except ArtifactCorrupt as error:
            users[place] = error
    fresh = [place for place, user in enumerate(users) if user is None]
    if fresh:
        folded = _fold(
            snapshot,
            [states[place] for place in fresh],
            [extras[place] for place in fresh],
            [trained.get(place) for place in fresh],
        )
        for place, user in zip(fresh, folded, strict=True):
            users[place] = user
    return [user for user in users if user is not None]


def history_of(state: UserState) -> History:
    """The ratings of a state. Raises ValueError where it was read without."""
    if state.history is None:
        raise ValueError("the state was read without its history; read it with history=True")
    return state.history


def usable_histories(
    catalog: Catalog, histories: Sequence[History], extras: Sequence[Extra]
) -> tuple[Histories, list[int]]:
    """The ratings of items that the catalogue has, with the extras over them; and (m,) counts.

    The counts are of all ratings, also of items that it lacks.
    """
    items: list[Texts] = []
    values: list[Doubles] = []
    counts: list[int] = []
    for history, extra in zip(histories, extras, strict=True):
        rated, own = history.items, history.values
        if extra:
            ratings = dict(zip(history.item_ids, own.tolist(), strict=True))
            ratings.update(extra)
            rated, own = Texts.of(ratings), np.array([*ratings.values()], np.float64)
        items.append(rated)
        values.append(own)
        counts.append(len(own))
    rows = catalog.rows_by_id.each(Texts.joined(items))
    places = np.arange(len(counts)) * (len(catalog) + 1)
    keys = np.repeat(places, counts) + rows  # by user, then by row
    order = np.argsort(keys)
    order = order[rows[order] >= 0]
    ends = np.searchsorted(keys[order], places + len(catalog)).tolist()
    known = Histories(rows[order].astype(np.int32), np.concatenate(values)[order], (0, *ends))
    return known, counts


def _fold(
    snapshot: Snapshot,
    states: Sequence[UserState],
    extras: Sequence[Extra],
    trained: Sequence[TrainedUser | None],
) -> list[FoldedUser]:
    model = snapshot.model
    histories, counts = usable_histories(model.catalog, [history_of(s) for s in states], extras)
    known = [histories[place] for place in range(len(histories))]
    kinds = [_kind(*own, record) for own, record in zip(known, trained, strict=True)]
    ranking, rating = _bases(model, kinds, trained)
    moved = [i for i, kind in enumerate(kinds) if kind is Personalization.FOLDED_IN]
    if moved:
        these = histories.only(moved)
        ranking[moved] = fold_together(model.ranking, these, ranking[moved])
        rating[moved] = fold_together(model.rating, these, rating[moved])
    ranking, rating = rounded(ranking), rounded(rating)
    users = []
    for place, (state, kind, count) in enumerate(zip(states, kinds, counts, strict=True)):
        seen, _ = known[place]
        lasting = len(seen) == count and (count == 0 or snapshot.is_own(int(seen[-1])))
        users.append(
            FoldedUser(
                version=snapshot.version,
                revision=state.revision,
                rating_count=count,
                personalization=kind,
                ranking_vector=ranking[place].copy(),  # one who is remembered keeps no others
                rating_vector=rating[place].copy(),
                seen=seen.copy(),
                lasting=lasting,  # else ratings of other items may come, move or be new
            )
        )
    return users


def _kind(rows: Rows, values: Doubles, trained: TrainedUser | None) -> Personalization:
    if trained is None:
        return Personalization.FOLDED_IN if len(rows) else Personalization.POPULAR
    same = trained.digest == digest_in_order(rows, values)
    return Personalization.TRAINED if same else Personalization.FOLDED_IN


def _bases(
    model: Model, kinds: Sequence[Personalization], trained: Sequence[TrainedUser | None]
) -> tuple[Doubles, Doubles]:
    """What is folded over, or the vectors themselves where nothing is folded: (m, d) each."""
    ranking, rating = [], []
    for kind, record in zip(kinds, trained, strict=True):
        if record is None:
            ranking.append(model.ranking_prior)
            rating.append(model.rating_prior)
        elif kind is Personalization.TRAINED:
            ranking.append(record.ranking_vector)
            rating.append(record.rating_vector)
        else:
            ranking.append(record.ranking_base)
            rating.append(record.rating_base)
    return np.array(ranking, np.float64), np.array(rating, np.float64)
