"""Overlays made without a store."""

from collections.abc import Mapping

import numpy as np
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.item_overlay import (
    ENTRY_HEADER,
    HIDDEN,
    NEW,
    ItemRating,
    Overlay,
    OverlayChanges,
    StoredEntry,
    pack_content,
)
from foldin_model.trained.content_map import Content
from numpy.typing import ArrayLike

Ratings = Mapping[str, ItemRating]


def new(
    item_id: str,
    order: int,
    content: Content | None = None,
    *,
    hidden: bool = False,
    ratings: Ratings | None = None,
) -> StoredEntry:
    """Returns a new item; without content it is a comedy of 1999, titled by its id."""
    known = content or Content(f"New {item_id}", ("Comedy",), 1999)
    header = ENTRY_HEADER.pack(1, NEW | (HIDDEN if hidden else 0), order)
    packed = {UserId(user): rating.pack() for user, rating in (ratings or {}).items()}
    return StoredEntry(ItemId(item_id), header + pack_content(known), packed)


def hidden(item_id: str) -> StoredEntry:
    """Returns a hidden item that is not new."""
    return StoredEntry(ItemId(item_id), ENTRY_HEADER.pack(1, HIDDEN, 0), {})


def overlay_of(*entries: StoredEntry, revision: int = 5, before: Overlay | None = None) -> Overlay:
    """Returns an overlay of these entries, as changes to another where there is one."""
    changes = OverlayChanges(revision, entries, whole=before is None)
    return (before or Overlay()).updated(changes)


def rated(
    value: float, taste: ArrayLike, leaning: ArrayLike, version: str = "planted"
) -> ItemRating:
    """Returns a rating by a user with these vectors."""
    vectors = (np.array(vector, np.float32).astype(float) for vector in (taste, leaning))
    return ItemRating(1, Version(version), value, *vectors)
