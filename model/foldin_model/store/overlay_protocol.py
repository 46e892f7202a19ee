"""The protocol of a store for new items and for the availability of items.

Every change is atomic and takes the next overlay revision, max(previous + 1, store time in µs).
Entries are bytes here; `foldin_model.records.item_overlay` packs them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from foldin_model.errors import OverlayFull
from foldin_model.ids import ItemId, UserId
from foldin_model.records.item_overlay import OverlayChanges

MAX_NEW_ITEMS = 10_000
MAX_ENTRIES = 100_000
MAX_RATERS = 200


@dataclass(frozen=True, slots=True)
class OverlayLimits:
    """How much an overlay holds."""

    max_new_items: int = MAX_NEW_ITEMS
    """New items, which have content of their own."""
    max_entries: int = MAX_ENTRIES
    """All items with an entry: new ones, and those that are or were hidden."""
    max_raters: int = MAX_RATERS
    """Ratings kept to fold in one new item: the latest ones."""


class OverlayStore(Protocol):
    """New items, their first ratings, and availability. Every method raises StoreUnavailable."""

    def upsert(self, items: Sequence[tuple[ItemId, bytes]]) -> int:
        """Stores the packed content of items, all or none; returns the revision that has it.

        Content that is stored already changes nothing. Raises OverlayFull.
        """
        ...

    def set_availability(self, item_ids: Sequence[ItemId], *, available: bool) -> int:
        """Hides items or shows them again, all or none; returns the revision that has it.

        Raises OverlayFull.
        """
        ...

    def rate(self, item_id: ItemId, user_id: UserId, packed: bytes) -> bool:
        """Keeps a packed ItemRating or `pack_deleted`; returns whether anything changed.

        Nothing changes where the item is not new, where a later record of the user is kept, or
        where a rating that is not kept is taken back.
        """
        ...

    def absorb(self, item_ids: Sequence[ItemId]) -> int:
        """Removes content and ratings of items that a model has by now; returns their number."""
        ...

    def changes(self, since: int) -> OverlayChanges:
        """Returns what changed after revision `since`; everything for 0 or an unknown revision."""
        ...


def new_items_full(count: int, limits: OverlayLimits) -> OverlayFull:
    """Returns the error for an upsert beyond the limit."""
    return OverlayFull(
        f"there are {count} new items and may be {limits.max_new_items}; "
        "train and publish a model that has them"
    )


def entries_full(count: int, limits: OverlayLimits) -> OverlayFull:
    """Returns the error for hiding more items than allowed."""
    return OverlayFull(
        f"availability is kept of {count} items and may be of {limits.max_entries}; "
        "leave items that are gone for good out of the next training"
    )
