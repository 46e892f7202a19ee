"""The fold-in of new items from their first ratings, in the background."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from foldin_model.errors import StoreUnavailable
from foldin_model.ids import ItemId, UserId
from foldin_model.overlay.item_ratings import packed_item_rating
from foldin_model.store.overlay_protocol import OverlayStore
from foldin_model.store.protocols import RatingStore
from foldin_model.trained.snapshot import Snapshot

from foldin_server.runtime.background import BackgroundTasks

MAX_WAITING: Final = 10_000
log = logging.getLogger(__name__)


class ItemFoldIn:
    """Folds ratings of new items into the items.

    Ratings wait in the memory of this process until they are folded in, also while the store is
    unreachable.
    """

    def __init__(
        self, ratings: RatingStore, overlay: OverlayStore, background: BackgroundTasks
    ) -> None:
        self._ratings = ratings
        self._overlay = overlay
        self._background = background
        self._waiting: OrderedDict[tuple[ItemId, UserId], None] = OrderedDict()
        self._working = False

    def rated(self, snapshot: Snapshot, user_id: UserId, item_id: ItemId) -> None:
        """Folds the user's rating of an item in, or its deletion, if the item is new."""
        row = snapshot.model.catalog.row(item_id)
        if row is None or not snapshot.is_in_version(row):
            self.refold(snapshot, [(item_id, user_id)])

    def refold(self, snapshot: Snapshot, ratings: Sequence[tuple[ItemId, UserId]]) -> None:
        """Folds these ratings in under the version of the snapshot, and all that wait."""
        self._waiting.update(dict.fromkeys(ratings))
        while len(self._waiting) > MAX_WAITING:
            (item_id, _), _ = self._waiting.popitem(last=False)
            log.warning("item_fold_in_left_out", extra={"item": item_id})
        if self._waiting and not self._working:
            self._working = True
            self._background.start("item_fold_in", self._fold_all(snapshot))

    async def _fold_all(self, snapshot: Snapshot) -> None:
        try:
            while self._waiting:
                (item_id, user_id), _ = self._waiting.popitem(last=False)
                try:
                    await self._fold(snapshot, user_id, item_id)
                except StoreUnavailable:
                    self._waiting[item_id, user_id] = None
                    raise
        finally:
            self._working = False

    async def _fold(self, snapshot: Snapshot, user_id: UserId, item_id: ItemId) -> None:
        state = await self._ratings.read(user_id, snapshot.version, history=True)
        packed = await asyncio.to_thread(packed_item_rating, snapshot, state, item_id)
        await asyncio.to_thread(self._overlay.rate, item_id, user_id, packed)
