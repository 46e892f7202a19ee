"""What is told of items while a model serves: new items, first ratings of them, availability.

It belongs to no version: whichever serves, the overlay is laid over it
(`foldin_model.overlay.overlaid_snapshot`), and an item that a version has itself keeps that version's content.
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
    """One user's rating of a new item, with her vectors under `version` when she gave it.

    The vectors, (d,) float64 with the digits of float32, are folded from her ratings of the
    version's own items alone. `revision` is hers; of two records the later stands.
    """

    revision: int
    version: Version
    value: float
    ranking_vector: Doubles
    rating_vector: Doubles

    def pack(self) -> bytes:
        """The bytes that the store keeps under the item and the user."""
        version = self.version.encode()
        header = RATING_HEADER.pack(
            *(FORMAT, 1, self.revision, self.value),
            *(len(version), len(self.ranking_vector), len(self.rating_vector)),
        )
        vectors = np.concatenate((self.ranking_vector, self.rating_vector)).astype("<f4")
        return header + version + vectors.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Self | None:
        """The rating, or None where it was taken back. Raises ArtifactCorrupt."""
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


def pack_taken_back(revision: int) -> bytes:
    """What is kept where a rating was taken back: that nothing older may stand again."""
    return RATING_HEADER.pack(FORMAT, 0, revision, 0.0, 0, 0, 0)


def pack_content(content: Content) -> bytes:
    """The bytes that the store keeps of a new item; equal content gives equal bytes."""
    told = {
        "title": content.title,
        "genres": list(content.genres),
        "year": content.year,
        "tags": list(content.tags),
    }
    text = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    numbers = b"" if content.embedding is None else content.embedding.astype("<f4").tobytes()
    return _TEXT_BYTES.pack(len(text)) + text + numbers


def unpack_content(packed: bytes) -> Content:
    """The content of `pack_content`. Raises ArtifactCorrupt for anything else."""
    try:
        (size,) = _TEXT_BYTES.unpack_from(packed)
        end = _TEXT_BYTES.size + size
        told = json.loads(packed[_TEXT_BYTES.size : end])
        numbers = np.frombuffer(packed[end:], "<f4").astype(np.float32)
        content = Content(
            title=told["title"],
            genres=tuple(told["genres"]),
            year=told["year"],
            tags=tuple(told["tags"]),
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
    """What the store keeps of one item, as bytes: the entry, and its ratings by user."""

    item_id: ItemId
    entry: bytes
    ratings: Mapping[UserId, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class OverlayChanges:
    """The entries that changed up to `revision`; of a `whole` one what is not there is gone."""

    revision: int
    entries: Sequence[StoredEntry]
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class OverlayEntry:
    """One item. `content` is None where the item is not new; `order` increases with arrival.

    `ratings` are the latest raters', by user.
    """

    available: bool
    order: int
    packed: bytes
    content: Content | None
    ratings: Mapping[UserId, ItemRating]

    @classmethod
    def of(cls, stored: StoredEntry, before: "OverlayEntry | None" = None) -> Self:
        """The entry of these bytes; content that stands is that of `before`. ArtifactCorrupt."""
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
    """Everything told up to `revision`, by item.

    `damaged` says of items whose entry cannot be read why; they count as never told of.
    """

    revision: int = 0
    entries: Mapping[ItemId, OverlayEntry] = field(default_factory=lambda: MappingProxyType({}))
    damaged: Mapping[ItemId, str] = field(default_factory=lambda: MappingProxyType({}))

    def updated(self, changes: OverlayChanges) -> "Overlay":
        """The overlay with the changes."""
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
