"""The record of one user's rating of a new item: the user's vectors, folded without new items.

So the item's vectors depend on the set of ratings alone, not on their order or on which server took
them.
"""

from foldin_model.ids import ItemId
from foldin_model.personal.user_vectors import fold_user
from foldin_model.records.item_overlay import ItemRating, pack_deleted
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot


def packed_item_rating(snapshot: Snapshot, stored: StoredUser, item_id: ItemId) -> bytes:
    """Returns the bytes for `OverlayStore.rate`: the user's rating of the item, or its deletion.

    `stored` was read with its history after the rating was written. Raises ValueError where it was
    not.
    """
    history = stored.history
    if history is None:
        raise ValueError("the user was read without their history; read with history=True")
    ratings = dict(zip(history.item_ids, history.values.tolist(), strict=True))
    if item_id not in ratings:
        return pack_deleted(stored.revision)
    version = snapshot.without_overlay
    user = fold_user(version, stored)
    return ItemRating(
        stored.revision, version.version, ratings[item_id], user.ranking_vector, user.rating_vector
    ).pack()
