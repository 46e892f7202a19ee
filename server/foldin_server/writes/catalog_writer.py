"""Adds items to what is served, hides and shows them, and folds new ones in from their ratings.

A write that was begun ends, even if its caller leaves; this server shows it before it answers.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from foldin_model.errors import ItemNotFound, OverlayFull, StoreUnavailable
from foldin_model.ids import ItemId, UserId
from foldin_model.overlay.item_ratings import packed_item_rating
from foldin_model.records.item_overlay import pack_content
from foldin_model.store.overlay_protocol import OverlayStore
from foldin_model.store.protocols import RatingStore
from foldin_model.trained.content_map import Content
from foldin_model.trained.snapshot import Snapshot

from foldin_server.quotation import quoted
from foldin_server.runtime.background import Background
from foldin_server.versions.snapshots import Snapshots

SHOWN_UNKNOWN_IDS: Final = 10
MOST_WAITING: Final = 10_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """A change of the overlay: the revision that has it, and what is served since."""

    revision: int
    snapshot: Snapshot


class Cataloguer:
    """Changes the overlay."""

    def __init__(self, snapshots: Snapshots, store: OverlayStore, background: Background) -> None:
        self._snapshots = snapshots
        self._store = store
        self._background = background

    async def upsert(self, items: Sequence[tuple[ItemId, Content]]) -> Changed:
        """The items are there, all of them or none. Raises OverlayFull and StoreUnavailable."""
        packed = [(item_id, pack_content(content)) for item_id, content in items]
        work = asyncio.to_thread(self._upsert, packed)
        return await self._shown(await self._background.finish(work))

    async def set_availability(self, item_ids: Sequence[ItemId], *, available: bool) -> Changed:
        """The items are hidden or shown again, all of them or none.

        Raises ItemNotFound, OverlayFull and StoreUnavailable.
        """
        if self._unknown(item_ids):
            await self._snapshots.look()  # another server may have been told of them just now
        unknown = self._unknown(item_ids)
        if unknown:
            named = ", ".join(map(quoted, unknown[:SHOWN_UNKNOWN_IDS]))
            raise ItemNotFound(
                unknown[0],
                f"{len(unknown)} of {len(item_ids)} items are not known, so that nothing was "
                f"changed: {named}; search with ListItems",
            )
        work = asyncio.to_thread(self._store.set_availability, item_ids, available=available)
        return await self._shown(await self._background.finish(work))

    def _upsert(self, packed: Sequence[tuple[ItemId, bytes]]) -> int:
        try:
            return self._store.upsert(packed)
        except OverlayFull:
            # Room is made only when it is needed: a rollback may want the content back.
            if not self._store.absorb(self._snapshots.absorbed()):
                raise
            return self._store.upsert(packed)

    async def _shown(self, revision: int) -> Changed:
        await self._snapshots.look()
        return Changed(revision, self._snapshots.serving())

    def _unknown(self, item_ids: Sequence[ItemId]) -> list[ItemId]:
        catalog = self._snapshots.serving().model.catalog
        return [item_id for item_id in item_ids if catalog.row(item_id) is None]


class ItemFolding:
    """Lets the ratings of new items count for the items, behind the answers.

    What is not done yet waits in this process; while the store is gone it goes on waiting.
    """

    def __init__(self, ratings: RatingStore, overlay: OverlayStore, background: Background) -> None:
        self._ratings = ratings
        self._overlay = overlay
        self._background = background
        self._waiting: OrderedDict[tuple[ItemId, UserId], None] = OrderedDict()
        self._working = False

    def rated(self, snapshot: Snapshot, user_id: UserId, item_id: ItemId) -> None:
        """What the user thinks of the item by now will count, if the item is new."""
        row = snapshot.model.catalog.row(item_id)
        if row is None or not snapshot.is_in_version(row):
            self.refold(snapshot, [(item_id, user_id)])

    def refold(self, snapshot: Snapshot, ratings: Sequence[tuple[ItemId, UserId]]) -> None:
        """These ratings will count under the version of the snapshot, and those that wait."""
        self._waiting.update(dict.fromkeys(ratings))
        while len(self._waiting) > MOST_WAITING:
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
