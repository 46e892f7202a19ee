"""What foldin asks of a store. Two backends answer alike: in memory and Redis or Valkey.

`RatingStore` is asynchronous, for it sits on the serving path; `ModelStore` is not, for models are
published and loaded beside it. Every method raises StoreUnavailable when it cannot reach the store.
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
    """One rating to store, or with `value` None one to take back.

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
    """What became of a write: the user's revision after it, and whether anything changed.

    `replayed`: the same request was taken before, this is its outcome. `superseded`: a later
    rating of the item stands, nothing changed.
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
    """How many ratings of one user an import stored, and how many stood as they were."""

    stored: int
    unchanged: int


class StoredUser(NamedTuple):
    """What the store holds of a user at one moment, not yet folded.

    Either `folded` (`PackedUser.packed` of the version asked for and of this revision) or `history`
    is set; with `history` also the `trained` bytes, where the version has the user. Neither is set
    where the caller knows this revision already.
    """

    revision: int
    folded: bytes | None = None
    history: History | None = None
    trained: bytes | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether only the revision is set."""
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
        """Stores a user's past ratings by the same rule, in one call, or none. Raises as `write`.

        Those that are stored share one new revision; those that stood already are untouched.
        """
        ...

    async def revision(self, user_id: UserId) -> int:
        """The user's revision, 0 where she has none: what `read` would say, at less cost."""
        ...

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> StoredUser:
        """The user's folded state if it is current, else what it can be folded from.

        With `history` always the latter. Concurrent reads share round trips.
        """
        ...

    async def read_all(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser | FoldinError]:
        """What `read` would say of each user, or how it failed for her alone.

        With each user comes the revision that the caller knows a state of, 0 for none: where it is
        the current one, the answer is that revision and nothing else.
        """
        ...

    async def keep_folded(self, users: Sequence[tuple[UserId, PackedUser]]) -> list[bool]:
        """Keeps each folded user who still has that revision; returns which ones it kept.

        Raises ValueError for bytes that are not of their own version and revision.
        """
        ...

    async def ping(self) -> None:
        """Returns when the store has answered."""
        ...

    async def close(self) -> None:
        """Gives the connections back."""
        ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which versions serve. `epoch` rises by one with every change and fences it.

    `overlay_revision` was read with it and is no part of it.
    """

    current: Version | None
    previous: Version | None
    epoch: int
    overlay_revision: int = field(default=0, compare=False)


class ModelStore(Protocol):
    """Published model versions as named blobs, and the pointer to the current one."""

    @property
    def overlay(self) -> OverlayStore:
        """What is told of items beside the versions."""
        ...

    def pointer(self) -> Pointer:
        """The current pointer with the overlay's revision; None and 0 in an empty store."""
        ...

    def move_pointer(self, version: Version, expected_epoch: int | None) -> Pointer:
        """Makes `version` current if the epoch is as expected (None: whatever it is).

        Raises VersionConflict, VersionNotFound.
        """
        ...

    def versions(self) -> Sequence[tuple[Version, float]]:
        """Versions with their publish time in seconds since 1970, newest first."""
        ...

    def manifest(self, version: Version) -> bytes:
        """The manifest as stored. Raises VersionNotFound."""
        ...

    def put_chunk(self, version: Version, name: str, data: bytes) -> None:
        """Stores a chunk such as `items:0`; at most 4 MiB."""
        ...

    def chunk(self, version: Version, name: str) -> bytes:
        """Raises ArtifactCorrupt where the chunk is missing."""
        ...

    def put_users(self, version: Version, users: Iterable[tuple[UserId, bytes]]) -> None:
        """Stores trained users' bytes under the version."""
        ...

    def trained_user(self, version: Version, user_id: UserId) -> bytes | None:
        """One trained user's bytes."""
        ...

    def put_manifest(self, version: Version, manifest: bytes, published_at: float) -> None:
        """Makes the version exist: the manifest and its entry among the versions, atomically."""
        ...

    def remove(self, version: Version, chunks: Sequence[str], users: Iterable[UserId]) -> None:
        """Unlinks a version by the names in its manifest. Raises VersionConflict if it serves."""
        ...

    def remove_damaged(self, version: Version) -> None:
        """Unlinks all that is stored under a version, which takes a look at every key.

        Raises VersionConflict if it serves.
        """
        ...

    def page_key(self) -> bytes:
        """The 32-byte key that page tokens are signed with; created with the namespace."""
        ...

    def close(self) -> None:
        """Gives the connections back."""
        ...
