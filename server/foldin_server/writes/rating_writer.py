"""Writes of ratings to the store.

A write runs to its end even if its caller leaves. Its effect on the stored ratings is the rule of
the store (`foldin_model.store.write_rule`).
"""

from foldin_model.store.protocols import RatingStore, RatingWrite, WriteOutcome
from foldin_model.trained.snapshot import Snapshot

from foldin_server.recommend.recommender import row_of
from foldin_server.recommend.tracked_users import TrackedUsers
from foldin_server.runtime.background import BackgroundTasks
from foldin_server.writes.item_fold_in import ItemFoldIn


class RatingWriter:
    """Stores and deletes ratings, and lets them count for users and new items."""

    def __init__(
        self,
        store: RatingStore,
        tracked: TrackedUsers,
        item_fold_in: ItemFoldIn,
        background: BackgroundTasks,
    ) -> None:
        self._store = store
        self._tracked = tracked
        self._item_fold_in = item_fold_in
        self._background = background

    async def submit(self, snapshot: Snapshot, write: RatingWrite) -> WriteOutcome:
        """Stores a rating of an item that the model has.

        Raises ItemNotFound and the errors of `RatingStore.write`.
        """
        row_of(snapshot, write.item_id)
        return await self._background.run_to_end(self._write(snapshot, write))

    async def delete(self, snapshot: Snapshot, write: RatingWrite) -> WriteOutcome:
        """Deletes a rating, also of an item that the model does not have."""
        return await self._background.run_to_end(self._write(snapshot, write))

    async def _write(self, snapshot: Snapshot, write: RatingWrite) -> WriteOutcome:
        try:
            outcome = await self._store.write(write)
        finally:  # also after an error: the write may have happened
            self._tracked.changed(write.user_id)
        self._item_fold_in.rated(snapshot, write.user_id, write.item_id)
        return outcome
