"""What foldin asks of the store about new items and availability; two backends answer alike.

Every change is atomic and takes the next overlay revision, max(previous + 1, store time in µs).
What entries mean is in `foldin_model.records.item_overlay`; here they are bytes.
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
    """Items with content of their own."""
    max_entries: int = MAX_ENTRIES
    """Items of which anything is kept: new ones, and those that are or were hidden."""
    max_raters: int = MAX_RATERS
    """Ratings that fold one new item in: the latest ones."""


class OverlayStore(Protocol):
    """New items, their first ratings and availability. All raise StoreUnavailable."""

    def upsert(self, items: Sequence[tuple[ItemId, bytes]]) -> int:
        """Stores the packed content of items, all or none; the revision from which it holds.

        Content that stands already changes nothing. Raises OverlayFull.
        """
        ...

    def set_availability(self, item_ids: Sequence[ItemId], *, available: bool) -> int:
        """Hides items or shows them again, all or none; the revision. Raises OverlayFull."""
        ...

    def rate(self, item_id: ItemId, user_id: UserId, packed: bytes) -> bool:
        """Keeps a packed ItemRating, or `pack_taken_back`; whether anything changed.

        Nothing does where the item is not new, where a later record of the user is kept, or where
        there is nothing to take back.
        """
        ...

    def absorb(self, item_ids: Sequence[ItemId]) -> int:
        """Forgets content and ratings of items that are new no more; how many were."""
        ...

    def changes(self, since: int) -> OverlayChanges:
        """What changed after revision `since`, all there is for 0 or one that is not known."""
        ...


def new_items_full(count: int, limits: OverlayLimits) -> OverlayFull:
    """What an upsert beyond the limit is answered with."""
    return OverlayFull(
        f"there are {count} new items and may be {limits.max_new_items}; "
        "train and publish a model that has them"
    )


def entries_full(count: int, limits: OverlayLimits) -> OverlayFull:
    """What hiding items beyond the limit is answered with."""
    return OverlayFull(
        f"availability is kept of {count} items and may be of {limits.max_entries}; "
        "leave items that are gone for good out of the next training"
    )
