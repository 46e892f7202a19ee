"""The protocols of a store for ratings and for models, with the values that they exchange.

Two backends implement them with equal results: Redis or Valkey, and memory. `RatingStore` is
asynchronous because it is on the serving path; `ModelStore` is not, because models are published
and loaded off it. Every method raises StoreUnavailable when it cannot reach the store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from foldin_model.errors import FoldinError
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_model.records.rating_history import History
from foldin_model.store.overlay_protocol import OverlayStore

MAX_RATINGS_A_USER = 10_000
MAX_CLOCK_AHEAD_US = 5 * 60 * 1_000_000
REQUEST_TTL_S = 3_600


@dataclass(frozen=True, slots=True)
class RatingWrite:
    """One rating to store, or with `value` None one to delete.

    Without `event_time_us` the write counts as the latest of all. A repeated `request_id` must
    repeat every other field.
    """

    user_id: UserId
    item_id: ItemId
    value: float | None
    event_time_us: int | None = None
    request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The result of a write: the user's revision after it, and whether anything changed.

    `replayed`: the same request was stored before, and this is its outcome. `superseded`: a later
    rating of the item is stored, so nothing changed.
    """

    revision: int
    replayed: bool = False
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class ImportedRating:
    """One past rating of a user."""

    item_id: ItemId
    value: float
    event_time_us: int


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """How many ratings of one user an import stored, and how many it left unchanged."""

    stored: int
    unchanged: int


class StoredUser(NamedTuple):
    """What a store returns for a user, read at one moment and not yet unpacked or folded.

    Either `folded` is set, `PackedUser.packed` of the version asked for and of this revision, or
    `history` is; `trained` comes with `history` where the version was trained with the user.
    Neither is set where the caller knows this revision already.
    """

    revision: int
    folded: bytes | None = None
    history: History | None = None
    trained: bytes | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether only the revision is set, because the caller knows the rest."""
        return self.folded is None and self.history is None


class RatingStore(Protocol):
    """The ratings of all users, and the vectors folded from them."""

    async def write(self, write: RatingWrite) -> WriteOutcome:
        """Stores one write atomically by the last-writer-wins rule.

        Raises InvalidField (event_time too far ahead), RequestIdReused, HistoryFull.
        """
        ...

    async def import_ratings(
        self, user_id: UserId, ratings: Sequence[ImportedRating]
    ) -> ImportOutcome:
        """Stores a user's past ratings by the same rule, all or none. Raises as `write` does.

        Those that are stored share one new revision; the others stay as they are.
        """
        ...

    async def revision(self, user_id: UserId) -> int:
        """Returns the user's revision, 0 where there is none; cheaper than `read`."""
        ...

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> StoredUser:
        """Returns the folded user if it is current, else the history to fold.

        With `history` it always returns the history. Concurrent reads share round trips.
        """
        ...

    async def read_all(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser | FoldinError]:
        """Returns for each user what `read` would return, or the error that it would raise.

        Each user comes with the revision that the caller already has, 0 for none. Where that is
        the current one, only the revision is returned.
        """
        ...

    async def keep_folded(self, users: Sequence[tuple[UserId, PackedUser]]) -> list[bool]:
        """Keeps each folded user whose revision is still the same; returns which ones it kept.

        Raises ValueError for bytes that do not begin with their version and revision.
        """
        ...

    async def ping(self) -> None:
        """Returns once the store has answered."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """The current and the previous version. `epoch` rises by one with every change.

    `overlay_revision` is read along and does not count when pointers are compared.
    """

    current: Version | None
    previous: Version | None
    epoch: int
    overlay_revision: int = field(default=0, compare=False)


class ModelStore(Protocol):
    """Published model versions as named blobs, and the pointer to the current one."""

    @property
    def overlay(self) -> OverlayStore:
        """New and hidden items, which belong to no version."""
        ...

    def pointer(self) -> Pointer:
        """Returns the pointer with the overlay's revision; None and 0 in an empty store."""
        ...

    def move_pointer(self, version: Version, expected_epoch: int | None) -> Pointer:
        """Makes `version` current if the epoch is the expected one (None: any).

        Raises VersionConflict, VersionNotFound.
        """
        ...

    def versions(self) -> Sequence[tuple[Version, float]]:
        """Returns versions and their publish times in seconds since 1970, newest first."""
        ...

    def manifest(self, version: Version) -> bytes:
        """Returns the manifest as stored. Raises VersionNotFound."""
        ...

    def put_chunk(self, version: Version, name: str, data: bytes) -> None:
        """Stores a chunk such as `items:0`; at most 4 MiB."""
        ...

    def chunk(self, version: Version, name: str) -> bytes:
        """Returns the bytes of a chunk. Raises ArtifactCorrupt where it is missing."""
        ...

    def put_users(self, version: Version, users: Iterable[tuple[UserId, bytes]]) -> None:
        """Stores packed trained users under the version."""
        ...

    def trained_user(self, version: Version, user_id: UserId) -> bytes | None:
        """Returns one packed trained user, None where the version has none of that id."""
        ...

    def put_manifest(self, version: Version, manifest: bytes, published_at: float) -> None:
        """Stores the manifest and lists the version, atomically; from then on it exists."""
        ...

    def remove(self, version: Version, chunks: Sequence[str], users: Iterable[UserId]) -> None:
        """Removes a version by the names in its manifest.

        Raises VersionConflict if it is current.
        """
        ...

    def remove_damaged(self, version: Version) -> None:
        """Removes everything stored under a version, which scans all keys.

        Raises VersionConflict if it is current.
        """
        ...

    def page_key(self) -> bytes:
        """Returns the 32-byte key that signs page tokens; it is created with the namespace."""
        ...

    def close(self) -> None:
        """Closes the connections."""
        ...
