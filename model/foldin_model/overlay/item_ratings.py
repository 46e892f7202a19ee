"""What one user's rating of a new item becomes for the item: her vectors, without any new item.

So the item's vectors depend on the set of ratings alone: not on when they came, nor on which server
took them.
"""

from foldin_model.ids import ItemId
from foldin_model.personal.user_vectors import fold_user
from foldin_model.records.item_overlay import ItemRating, pack_taken_back
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot


def packed_item_rating(snapshot: Snapshot, state: StoredUser, item_id: ItemId) -> bytes:
    """The bytes that `OverlayStore.rate` takes: her rating of the item, or that she has none.

    `state` was read with its history after the rating was written.
    """
    history = state.history
    if history is None:
        raise ValueError("the state was read without its history; read it with history=True")
    given = dict(zip(history.item_ids, history.values.tolist(), strict=True))
    if item_id not in given:
        return pack_taken_back(state.revision)
    version = snapshot.without_overlay
    user = fold_user(version, state)
    return ItemRating(
        state.revision, version.version, given[item_id], user.ranking_vector, user.rating_vector
    ).pack()
