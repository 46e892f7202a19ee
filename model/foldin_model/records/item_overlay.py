"""The overlay: new items, their first ratings and availability, written while a model serves.

It belongs to no version and is laid over whichever serves
(`foldin_model.overlay.overlaid_snapshot`). An item that a version has itself keeps that version's
content.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Doubles
from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.trained.content_map import Content

FORMAT: Final = 1
HIDDEN: Final = 0b0000_0001
NEW: Final = 0b0000_0010
ENTRY_HEADER: Final = struct.Struct("<BBq")  # format, flags, order
RATING_HEADER: Final = struct.Struct("<BBqdHHH")  # format, live, revision, value, three lengths
_TEXT_BYTES: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, eq=False)
class ItemRating:
    """One user's rating of a new item, with the user's vectors under `version` at that time.

    The vectors, (d,) float64 with float32 precision, are folded from the ratings of the version's
    own items alone. `revision` is the user's; of two records the one with the later revision holds.
    """

    revision: int
    version: Version
    value: float
    ranking_vector: Doubles
    rating_vector: Doubles

    def pack(self) -> bytes:
        """Returns the bytes that the store keeps under the item and the user."""
        version = self.version.encode()
        header = RATING_HEADER.pack(
            *(FORMAT, 1, self.revision, self.value),
            *(len(version), len(self.ranking_vector), len(self.rating_vector)),
        )
        vectors = np.concatenate((self.ranking_vector, self.rating_vector)).astype("<f4")
        return header + version + vectors.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Self | None:
        """Reads the rating; None where it was deleted. Raises ArtifactCorrupt."""
        try:
            kind, live, revision, value, *sizes = RATING_HEADER.unpack_from(packed)
            version_end = RATING_HEADER.size + sizes[0]
            if kind != FORMAT or len(packed) != version_end + 4 * (sizes[1] + sizes[2]):
                raise ArtifactCorrupt(f"a rating of a new item has format {kind}, {len(packed)} B")
            version = Version(packed[RATING_HEADER.size : version_end].decode())
        except (struct.error, UnicodeDecodeError) as error:
            raise ArtifactCorrupt(f"a rating of a new item cannot be read: {error}") from error
        vectors = np.frombuffer(packed, "<f4", offset=version_end).astype(np.float64)
        if not np.isfinite(vectors).all():
            raise ArtifactCorrupt("a rating of a new item has a vector that is not finite")
        if not live:
            return None
        return cls(revision, version, value, vectors[: sizes[1]], vectors[sizes[1] :])


def pack_deleted(revision: int) -> bytes:
    """Returns the record of a deleted rating, which keeps older records from coming back."""
    return RATING_HEADER.pack(FORMAT, 0, revision, 0.0, 0, 0, 0)


def pack_content(content: Content) -> bytes:
    """Returns the bytes that the store keeps of a new item; equal content gives equal bytes."""
    fields = {
        "title": content.title,
        "genres": list(content.genres),
        "year": content.year,
        "tags": list(content.tags),
    }
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()
    numbers = b"" if content.embedding is None else content.embedding.astype("<f4").tobytes()
    return _TEXT_BYTES.pack(len(text)) + text + numbers


def unpack_content(packed: bytes) -> Content:
    """Reads the content of `pack_content`. Raises ArtifactCorrupt for other bytes."""
    try:
        (size,) = _TEXT_BYTES.unpack_from(packed)
        end = _TEXT_BYTES.size + size
        fields = json.loads(packed[_TEXT_BYTES.size : end])
        numbers = np.frombuffer(packed[end:], "<f4").astype(np.float32)
        content = Content(
            title=fields["title"],
            genres=tuple(fields["genres"]),
            year=fields["year"],
            tags=tuple(fields["tags"]),
            embedding=numbers if len(numbers) else None,
        )
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ArtifactCorrupt(f"the content of a new item cannot be read: {error!r}") from error
    texts = (content.title, *content.genres, *content.tags)
    year_fits = content.year is None or isinstance(content.year, int)
    if not (all(isinstance(text, str) for text in texts) and year_fits):
        raise ArtifactCorrupt("the content of a new item has fields of other types")
    if not np.isfinite(numbers).all():
        raise ArtifactCorrupt("the embedding of a new item is not finite")
    return content


@dataclass(frozen=True, slots=True, eq=False)
class StoredEntry:
    """One item of the overlay as the store has it, in bytes: the entry, and ratings by user."""

    item_id: ItemId
    entry: bytes
    ratings: Mapping[UserId, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class OverlayChanges:
    """The entries that changed up to `revision`; if `whole`, all entries that there are."""

    revision: int
    entries: Sequence[StoredEntry]
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class OverlayEntry:
    """One item of the overlay, as read: availability, content if it is new, first ratings by user.

    `content` is None for an item that is not new; `order` increases with arrival; `packed` are the
    bytes of the content.
    """

    available: bool
    order: int
    packed: bytes
    content: Content | None
    ratings: Mapping[UserId, ItemRating]

    @classmethod
    def of(cls, stored: StoredEntry, before: "OverlayEntry | None" = None) -> Self:
        """Reads an entry; unchanged content is taken from `before`. Raises ArtifactCorrupt."""
        if len(stored.entry) < ENTRY_HEADER.size or stored.entry[0] != FORMAT:
            raise ArtifactCorrupt(
                f"an entry of {len(stored.entry)} bytes begins with {stored.entry[:1]!r}; "
                f"this program reads format {FORMAT}"
            )
        _, flags, order = ENTRY_HEADER.unpack_from(stored.entry)
        packed = stored.entry[ENTRY_HEADER.size :]
        if before is not None and before.packed == packed:
            content = before.content
        else:
            content = unpack_content(packed) if flags & NEW else None
        ratings = {
            user_id: rating
            for user_id, bytes_ in stored.ratings.items()
            if (rating := ItemRating.unpack(bytes_)) is not None
        }
        return cls(not flags & HIDDEN, order, packed, content, MappingProxyType(ratings))


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """All entries up to `revision`, by item.

    `damaged` says why an item's entry cannot be read; such items count as absent.
    """

    revision: int = 0
    entries: Mapping[ItemId, OverlayEntry] = field(default_factory=lambda: MappingProxyType({}))
    damaged: Mapping[ItemId, str] = field(default_factory=lambda: MappingProxyType({}))

    def updated(self, changes: OverlayChanges) -> "Overlay":
        """Returns the overlay with the changes applied."""
        entries = {} if changes.whole else dict(self.entries)
        damaged = {} if changes.whole else dict(self.damaged)
        for stored in changes.entries:
            before = self.entries.get(stored.item_id)
            damaged.pop(stored.item_id, None)
            try:
                entries[stored.item_id] = OverlayEntry.of(stored, before)
            except ArtifactCorrupt as error:
                entries.pop(stored.item_id, None)
                damaged[stored.item_id] = str(error)
        return Overlay(changes.revision, entries, damaged)
