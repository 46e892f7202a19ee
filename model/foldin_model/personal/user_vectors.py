"""From what the store keeps of users to the vectors that their answers are made with.

The whole history is folded, in row order. A history that is the trained one needs no solve; vectors
are rounded to float32, as they are stored, so that a kept state and a fresh one answer alike.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from foldin_model.arrays import Doubles, Floats, Mask
from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.batch_fold_in import Histories, fold_together
from foldin_model.fold_in.fold_in import rounded
from foldin_model.ids import ItemId
from foldin_model.records.folded_users import FoldedUsers
from foldin_model.records.personalization import Personalization
from foldin_model.records.rating_history import History
from foldin_model.row_lists import RowLists
from foldin_model.store.protocols import StoredUser
from foldin_model.texts.text_array import Texts
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import (
    TrainedRecords,
    digests,
    unpack_trained,
)

Extra = Sequence[tuple[ItemId, float]]
"""Ratings of one user that count over the stored ones."""
Unpacked = TypeVar("Unpacked", FoldedUsers, TrainedRecords)


class Folding(NamedTuple):
    """The `users` (k,) of the states at `places` (k,); by place, why others have none.

    `users` is None where nobody has one.
    """

    users: FoldedUsers | None
    places: list[int]
    failures: dict[int, ArtifactCorrupt]


def fold_users(
    snapshot: Snapshot, states: Sequence[StoredUser], extras: Sequence[Extra] | None = None
) -> Folding:
    """The users of `states` as this version sees them, with their `extras`, all (m,).

    TRAINED where the ratings are those she was trained on, POPULAR where the model knows nothing
    of her, else FOLDED_IN. `extras` need states read with their history. Raises ValueError.
    """
    extras = extras or [()] * len(states)
    dimensions = len(snapshot.model.ranking_prior), len(snapshot.model.rating_prior)
    failures: dict[int, ArtifactCorrupt] = {}
    kept = {
        place: state.folded
        for place, (state, extra) in enumerate(zip(states, extras, strict=True))
        if state.folded is not None and not extra
    }
    users = _unpacked(kept, failures, lambda each: FoldedUsers.unpack(each, *dimensions))
    if len(kept) == len(states):
        return Folding(users, [place for place in kept if place not in failures], failures)
    others = [place for place in range(len(states)) if place not in kept]
    records = {place: each for place in others if (each := states[place].trained) is not None}
    trained = _unpacked(records, failures, lambda each: unpack_trained(each, *dimensions))
    fresh = [place for place in others if place not in failures]
    parts = [] if users is None else [users]
    if fresh:
        folded = _fold(
            snapshot,
            [states[place] for place in fresh],
            [extras[place] for place in fresh],
            np.array([place in records for place in fresh]),
            trained,
        )
        parts.append(folded)
    places = [place for place in (*kept, *fresh) if place not in failures]
    return Folding(FoldedUsers.joined(parts) if parts else None, places, failures)


def history_of(state: StoredUser) -> History:
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
    ends = np.searchsorted(keys[order], places + len(catalog))
    rated_rows = RowLists(rows[order].astype(np.int32), np.concatenate(((0,), ends)))
    return Histories(rated_rows, np.concatenate(values)[order]), counts


def _unpacked(
    packed: Mapping[int, bytes],
    failures: dict[int, ArtifactCorrupt],
    unpack: Callable[[Sequence[bytes]], Unpacked],
) -> Unpacked | None:
    """All that are sound, unpacked together; others are noted as failures of their places."""
    if not packed:
        return None
    try:
        return unpack([*packed.values()])
    except ArtifactCorrupt:
        sound: dict[int, bytes] = {}
        for place, one in packed.items():
            try:
                unpack([one])
            except ArtifactCorrupt as error:
                failures[place] = error
            else:
                sound[place] = one
    return unpack([*sound.values()]) if sound else None


def _fold(
    snapshot: Snapshot,
    states: Sequence[StoredUser],
    extras: Sequence[Extra],
    is_trained: Mask,
    trained: TrainedRecords | None,
) -> FoldedUsers:
    """The users of (k,) states; `trained` are the records of those who have one."""
    model = snapshot.model
    given = [history_of(state) for state in states]
    histories, counts = usable_histories(model.catalog, given, extras)
    seen = histories.rated
    kinds = np.full(len(states), Personalization.FOLDED_IN.value, np.uint8)
    kinds[seen.sizes == 0] = Personalization.POPULAR.value
    ranking = np.empty((len(states), len(model.ranking_prior)))
    rating = np.empty((len(states), len(model.rating_prior)))
    ranking[:], rating[:] = model.ranking_prior, model.rating_prior
    if trained is not None:
        names = np.array(digests(seen.rows, histories.values, seen.starts), np.uint64)
        same = names[is_trained] == trained["digest"]
        known = np.full(len(same), Personalization.FOLDED_IN.value, np.uint8)
        known[same] = Personalization.TRAINED.value
        kinds[is_trained] = known
        ranking[is_trained] = _of_trained(trained, "ranking", same)
        rating[is_trained] = _of_trained(trained, "rating", same)
    moved = (kinds == Personalization.FOLDED_IN.value).nonzero()[0].tolist()
    if moved:
        these = histories.only(moved)
        ranking[moved] = fold_together(model.ranking, these, ranking[moved])
        rating[moved] = fold_together(model.rating, these, rating[moved])
    revisions = [state.revision for state in states]
    return FoldedUsers.of(
        snapshot.version,
        np.array(revisions, np.int64),
        np.array(counts, np.int64),
        kinds,
        vectors=(rounded(ranking), rounded(rating)),
        seen=seen,
        lasting=_lasting(snapshot, seen, counts),
    )


def _of_trained(trained: TrainedRecords, head: str, same: Mask) -> Floats:
    """(k, d): the vectors themselves where nothing is folded, else what is folded over."""
    vectors, bases = trained[f"{head}_vector"], trained[f"{head}_base"]
    return np.where(same[:, None], vectors, bases)


def _lasting(snapshot: Snapshot, seen: RowLists, counts: Sequence[int]) -> Mask:
    """Of whom all ratings are of the version's own items: others may come, move or be new."""
    own = seen.sizes == np.array(counts)
    rated = seen.sizes > 0
    own[rated] &= seen.rows[seen.starts[1:][rated] - 1] < len(snapshot.of_version)
    return np.asarray(own, np.bool_)
