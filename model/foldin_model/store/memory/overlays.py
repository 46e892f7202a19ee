"""The overlay in memory, with the same results as the one in Redis."""

import time
from collections.abc import Callable, Sequence

from foldin_model.ids import ItemId, UserId
from foldin_model.records.item_overlay import (
    ENTRY_HEADER,
    FORMAT,
    HIDDEN,
    NEW,
    RATING_HEADER,
    OverlayChanges,
    StoredEntry,
)
from foldin_model.store.overlay_protocol import OverlayLimits, entries_full, new_items_full


class MemoryOverlayStore:
    """An OverlayStore in dictionaries."""

    def __init__(
        self,
        limits: OverlayLimits | None = None,
        *,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._limits = limits or OverlayLimits()
        self._clock_us = clock_us
        self._entries: dict[ItemId, bytes] = {}
        self._ratings: dict[ItemId, dict[UserId, bytes]] = {}
        self._changed: dict[ItemId, int] = {}
        self._order = 0
        self.revision = 0

    def upsert(self, items: Sequence[tuple[ItemId, bytes]]) -> int:
        """Stores the packed content of items, all or none; returns the revision that has it."""
        changed = [
            (item_id, content)
            for item_id, content in items
            if not self._is_new(item_id) or self._entries[item_id][ENTRY_HEADER.size :] != content
        ]
        fresh = sum(not self._is_new(item_id) for item_id, _ in changed)
        count = sum(map(self._is_new, self._entries))
        if fresh > 0 and count + fresh > self._limits.max_new_items:
            raise new_items_full(count, self._limits)
        for item_id, content in changed:
            flags, order = self._header(item_id)
            if not flags & NEW:
                self._order += 1
                order = self._order
            header = ENTRY_HEADER.pack(FORMAT, flags & HIDDEN | NEW, order)
            self._entries[item_id] = header + content
        return self._note_changed([item_id for item_id, _ in changed])

    def set_availability(self, item_ids: Sequence[ItemId], *, available: bool) -> int:
        """Hides items or shows them again, all or none; returns the revision that has it."""
        hidden = 0 if available else HIDDEN
        fresh = 0 if available else sum(item_id not in self._entries for item_id in item_ids)
        if fresh > 0 and len(self._entries) + fresh > self._limits.max_entries:
            raise entries_full(len(self._entries), self._limits)
        changed = []
        for item_id in item_ids:
            flags, order = self._header(item_id)
            if flags & HIDDEN != hidden:
                content = self._entries.get(item_id, b"")[ENTRY_HEADER.size :]
                header = ENTRY_HEADER.pack(FORMAT, flags & NEW | hidden, order)
                self._entries[item_id] = header + content
                changed.append(item_id)
        return self._note_changed(changed)

    def rate(self, item_id: ItemId, user_id: UserId, packed: bytes) -> bool:
        """Keeps one user's rating of a new item; returns whether anything changed."""
        kept = self._ratings.setdefault(item_id, {}) if self._is_new(item_id) else None
        if kept is None:
            return False
        old = kept.get(user_id)
        later = old is not None and _revision(old) > _revision(packed)
        if later or old == packed or (old is None and not packed[1]):
            return False
        kept[user_id] = packed
        if len(kept) > self._limits.max_raters:
            del kept[min(kept, key=lambda user: _revision(kept[user]))]
        self._note_changed([item_id])
        return True

    def absorb(self, item_ids: Sequence[ItemId]) -> int:
        """Removes content and ratings of items that a model has by now; returns their number."""
        absorbed = [item_id for item_id in item_ids if self._is_new(item_id)]
        for item_id in absorbed:
            flags, order = self._header(item_id)
            self._entries[item_id] = ENTRY_HEADER.pack(FORMAT, flags & HIDDEN, order)
            self._ratings.pop(item_id, None)
        self._note_changed(absorbed)
        return len(absorbed)

    def changes(self, since: int) -> OverlayChanges:
        """Returns what changed after revision `since`."""
        whole = since == 0 or self.revision < since
        entries = [
            StoredEntry(item_id, self._entries[item_id], dict(self._ratings.get(item_id, {})))
            for item_id, revision in self._changed.items()
            if whole or revision > since
        ]
        return OverlayChanges(self.revision, entries, whole)

    def _header(self, item_id: ItemId) -> tuple[int, int]:
        """Returns flags and order of an item, 0 and 0 where it has no entry."""
        if item_id not in self._entries:
            return 0, 0
        _, flags, order = ENTRY_HEADER.unpack_from(self._entries[item_id])
        return flags, order

    def _is_new(self, item_id: ItemId) -> bool:
        return bool(self._header(item_id)[0] & NEW)

    def _note_changed(self, item_ids: Sequence[ItemId]) -> int:
        """Notes that these items changed, if any; returns the revision after that."""
        if item_ids:
            self.revision = max(self.revision + 1, self._clock_us())
            self._changed.update(dict.fromkeys(item_ids, self.revision))
        return self.revision


def _revision(packed: bytes) -> int:
    revision: int = RATING_HEADER.unpack_from(packed)[2]
    return revision
