"""From what the store holds of users to the vectors that their answers are made with.

The whole history is folded, in row order. A history equal to the trained one needs no solve.
Vectors are rounded to float32, so that a kept user and a fresh one get the same answer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from foldin_model.arrays import Doubles, Floats, Mask, Rows
from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.batch_fold_in import Histories, fold_batch
from foldin_model.fold_in.fold_in import rounded
from foldin_model.ids import ItemId
from foldin_model.records.folded_users import FoldedUser, FoldedUsers
from foldin_model.records.personalization import Personalization
from foldin_model.records.rating_history import History
from foldin_model.row_lists import RowLists
from foldin_model.store.protocols import StoredUser
from foldin_model.texts.text_array import Texts
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import TrainedRecords, digests, unpack_trained

Profile = Sequence[tuple[ItemId, float]]
"""Ratings that came with a request; they replace the stored ratings of the same items."""
Unpacked = TypeVar("Unpacked", FoldedUsers, TrainedRecords)


class FoldOutcome(NamedTuple):
    """What folding many users gave: `users` (k,) at `places` (k,), and the failures by place.

    `users` is None where every user failed.
    """

    users: FoldedUsers | None
    places: list[int]
    failures: dict[int, ArtifactCorrupt]


def fold_users(
    snapshot: Snapshot, stored: Sequence[StoredUser], profiles: Sequence[Profile] | None = None
) -> FoldOutcome:
    """Folds the users of `stored` under this version, with their `profiles`, all (m,).

    TRAINED where the ratings are those of training, POPULAR where the model knows nothing of the
    user, else FOLDED_IN. A profile needs a user read with their history, else ValueError is raised.
    """
    profiles = profiles or [()] * len(stored)
    dimensions = len(snapshot.model.ranking_prior), len(snapshot.model.rating_prior)
    failures: dict[int, ArtifactCorrupt] = {}
    kept = {
        place: user.folded
        for place, (user, profile) in enumerate(zip(stored, profiles, strict=True))
        if user.folded is not None and not profile
    }
    users = _unpacked(kept, failures, lambda each: FoldedUsers.unpack(each, *dimensions))
    if len(kept) == len(stored):
        return FoldOutcome(users, [place for place in kept if place not in failures], failures)
    others = [place for place in range(len(stored)) if place not in kept]
    records = {place: each for place in others if (each := stored[place].trained) is not None}
    trained = _unpacked(records, failures, lambda each: unpack_trained(each, *dimensions))
    fresh = [place for place in others if place not in failures]
    parts = [] if users is None else [users]
    if fresh:
        folded = _fold(
            snapshot,
            [stored[place] for place in fresh],
            [profiles[place] for place in fresh],
            np.array([place in records for place in fresh]),
            trained,
        )
        parts.append(folded)
    places = [place for place in (*kept, *fresh) if place not in failures]
    return FoldOutcome(FoldedUsers.joined(parts) if parts else None, places, failures)


def fold_user(snapshot: Snapshot, stored: StoredUser, profile: Profile = ()) -> FoldedUser:
    """Folds one user, as `fold_users` does. Raises ArtifactCorrupt for a damaged record."""
    outcome = fold_users(snapshot, [stored], [profile])
    if outcome.users is None:
        raise outcome.failures[0]
    return outcome.users.user(0)


def popular_user(snapshot: Snapshot, revision: int = 0) -> FoldedUser:
    """Returns an unknown user."""
    return fold_user(snapshot, StoredUser(revision, history=History.empty()))


def query_of(snapshot: Snapshot, user: FoldedUser) -> Doubles:
    """Returns the retrieval query of a user."""
    return snapshot.model.query(user.ranking_vector, user.rating_vector)


def usable_history(
    catalog: Catalog, stored: StoredUser, profile: Profile = ()
) -> tuple[Rows, Doubles]:
    """Returns rows and values (n,) of a user's ratings of items that the catalog has.

    Raises ValueError where the user was read without their history.
    """
    histories, _ = _usable_histories(catalog, [_history_of(stored)], [profile])
    return histories[0]


def _usable_histories(
    catalog: Catalog, histories: Sequence[History], profiles: Sequence[Profile]
) -> tuple[Histories, list[int]]:
    """Returns the ratings of items that the catalog has, with the profiles over them.

    Beside them (m,) counts of all ratings, also of items that the catalog lacks.
    """
    items: list[Texts] = []
    values: list[Doubles] = []
    counts: list[int] = []
    for history, profile in zip(histories, profiles, strict=True):
        rated, own = history.items, history.values
        if profile:
            ratings = dict(zip(history.item_ids, own.tolist(), strict=True))
            ratings.update(profile)
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


def _history_of(stored: StoredUser) -> History:
    if stored.history is None:
        raise ValueError("the user was read without their history; read with history=True")
    return stored.history


def _unpacked(
    packed: Mapping[int, bytes],
    failures: dict[int, ArtifactCorrupt],
    unpack: Callable[[Sequence[bytes]], Unpacked],
) -> Unpacked | None:
    """Unpacks all that are sound, together, and notes the others as failures of their places."""
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
    stored: Sequence[StoredUser],
    profiles: Sequence[Profile],
    is_trained: Mask,
    trained: TrainedRecords | None,
) -> FoldedUsers:
    """Folds (k,) users; `trained` are the records of those with `is_trained`."""
    model = snapshot.model
    own = [_history_of(user) for user in stored]
    histories, counts = _usable_histories(model.catalog, own, profiles)
    seen = histories.rated
    kinds = np.full(len(stored), Personalization.FOLDED_IN.value, np.uint8)
    kinds[seen.sizes == 0] = Personalization.POPULAR.value
    ranking = np.empty((len(stored), len(model.ranking_prior)))
    rating = np.empty((len(stored), len(model.rating_prior)))
    ranking[:], rating[:] = model.ranking_prior, model.rating_prior
    if trained is not None:
        names = np.array(digests(seen.rows, histories.values, seen.starts), np.uint64)
        unchanged = names[is_trained] == trained["digest"]
        known = np.full(len(unchanged), Personalization.FOLDED_IN.value, np.uint8)
        known[unchanged] = Personalization.TRAINED.value
        kinds[is_trained] = known
        ranking[is_trained] = _vectors_or_bases(trained, "ranking", unchanged)
        rating[is_trained] = _vectors_or_bases(trained, "rating", unchanged)
    solved = (kinds == Personalization.FOLDED_IN.value).nonzero()[0].tolist()
    if solved:
        those = histories.only(solved)
        ranking[solved] = fold_batch(model.ranking, those, ranking[solved])
        rating[solved] = fold_batch(model.rating, those, rating[solved])
    revisions = [user.revision for user in stored]
    return FoldedUsers.of(
        snapshot.version,
        np.array(revisions, np.int64),
        np.array(counts, np.int64),
        kinds,
        vectors=(rounded(ranking), rounded(rating)),
        seen=seen,
        lasting=_lasting(snapshot, seen, counts),
    )


def _vectors_or_bases(trained: TrainedRecords, head: str, unchanged: Mask) -> Floats:
    """(k, d): the trained vector where the history is unchanged, else the base to fold over."""
    vectors, bases = trained[f"{head}_vector"], trained[f"{head}_base"]
    return np.where(unchanged[:, None], vectors, bases)


def _lasting(snapshot: Snapshot, seen: RowLists, counts: Sequence[int]) -> Mask:
    """(k,): whether all rated items are the version's own; overlay items may come, move or go."""
    own = seen.sizes == np.array(counts)
    rated = seen.sizes > 0
    own[rated] &= seen.rows[seen.starts[1:][rated] - 1] < len(snapshot.without_overlay)
    return np.asarray(own, np.bool_)
