"""Writes to the item overlay: new items, and the availability of items.

A write runs to its end even if its caller leaves. This server serves it before it answers.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from foldin_model.errors import ItemNotFound, OverlayFull
from foldin_model.ids import ItemId
from foldin_model.records.item_overlay import pack_content
from foldin_model.store.overlay_protocol import OverlayStore
from foldin_model.trained.content_map import Content
from foldin_model.trained.snapshot import Snapshot

from foldin_server.quotation import quoted
from foldin_server.runtime.background import BackgroundTasks
from foldin_server.versions.snapshots import Snapshots

SHOWN_UNKNOWN_IDS: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class CatalogChange:
    """A change of the overlay: its revision, and the snapshot that serves it."""

    revision: int
    snapshot: Snapshot


class CatalogWriter:
    """Writes to the item overlay, and serves what it wrote."""

    def __init__(
        self, snapshots: Snapshots, store: OverlayStore, background: BackgroundTasks
    ) -> None:
        self._snapshots = snapshots
        self._store = store
        self._background = background

    async def upsert(self, items: Sequence[tuple[ItemId, Content]]) -> CatalogChange:
        """Adds or changes items, all or none. Raises OverlayFull and StoreUnavailable."""
        packed = [(item_id, pack_content(content)) for item_id, content in items]
        work = asyncio.to_thread(self._upsert, packed)
        return await self._served(await self._background.run_to_end(work))

    async def set_availability(
        self, item_ids: Sequence[ItemId], *, available: bool
    ) -> CatalogChange:
        """Hides items or shows them again, all or none.

        Raises ItemNotFound, OverlayFull and StoreUnavailable.
        """
        if self._unknown(item_ids):
            await self._snapshots.refresh()  # another server may have added them just now
        unknown = self._unknown(item_ids)
        if unknown:
            named = ", ".join(map(quoted, unknown[:SHOWN_UNKNOWN_IDS]))
            raise ItemNotFound(
                unknown[0],
                f"{len(unknown)} of {len(item_ids)} items are unknown and nothing was changed: "
                f"{named}; search with ListItems",
            )
        work = asyncio.to_thread(self._store.set_availability, item_ids, available=available)
        return await self._served(await self._background.run_to_end(work))

    def _upsert(self, packed: Sequence[tuple[ItemId, bytes]]) -> int:
        try:
            return self._store.upsert(packed)
        except OverlayFull:
            # Room is made only when it is needed: after a rollback the content is needed again.
            if not self._store.absorb(self._snapshots.absorbed()):
                raise
            return self._store.upsert(packed)

    async def _served(self, revision: int) -> CatalogChange:
        await self._snapshots.refresh()
        return CatalogChange(revision, self._snapshots.serving())

    def _unknown(self, item_ids: Sequence[ItemId]) -> list[ItemId]:
        catalog = self._snapshots.serving().model.catalog
        return [item_id for item_id in item_ids if catalog.row(item_id) is None]
