"""The name of every key in the store.

All keys of a namespace begin with `fi:<ns>`. Redis Cluster hashes what stands in braces: the
ratings and revision of a user and their shard of the log lie in one slot, so one script may
change them all.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID
from zlib import crc32

from foldin_model.errors import InvalidField, Violation
from foldin_model.ids import ItemId, UserId, Version

PARTITIONS: Final = 64
PAGE_KEY_BYTES: Final = 32
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def partition(user_id: UserId) -> int:
    """Returns the partition of a user, 0 to 63, the same on every machine."""
    return crc32(user_id.encode()) % PARTITIONS


def is_versions(key: bytes) -> bool:
    """Returns whether this is the key of the versions of some namespace."""
    return re.fullmatch(rb"\{fi:[A-Za-z0-9._-]{1,64}\}:versions", key) is not None


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one namespace. Raises InvalidField for a name that is not allowed."""

    namespace: str
    _stems: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            allowed = "1 to 64 letters, digits, dots, dashes and underscores"
            raise InvalidField(Violation("namespace", f"{self.namespace!r} is not {allowed}"))
        stems = tuple(f"fi:{self.namespace}:{{{p}}}:" for p in range(PARTITIONS))
        object.__setattr__(self, "_stems", stems)

    @property
    def control(self) -> str:
        """Hash: current, previous, epoch, partitions, page_key, overlay and its two counters."""
        return f"{{fi:{self.namespace}}}:ctl"

    @property
    def versions(self) -> str:
        """Sorted set: version by publish time."""
        return f"{{fi:{self.namespace}}}:versions"

    @property
    def overlay(self) -> str:
        """Hash: item to its overlay entry, new content or being hidden."""
        return f"{{fi:{self.namespace}}}:overlay"

    @property
    def overlay_changed(self) -> str:
        """Sorted set: item by the overlay revision of its last change."""
        return f"{self.overlay}:changed"

    def overlay_ratings(self, item_id: ItemId) -> str:
        """Hash: user to a packed ItemRating of a new item."""
        return f"{self.overlay}:r:{item_id}"

    def manifest(self, version: Version) -> str:
        """String: the manifest's JSON."""
        return self.chunk(version, "manifest")

    def chunk(self, version: Version, name: str) -> str:
        """String: one chunk such as `items:0` or `users:0`."""
        return f"fi:{self.namespace}:v:{version}:{name}"

    def trained(self, version: Version, user_id: UserId) -> str:
        """String: a packed trained user of the version."""
        return self.chunk(version, f"u:{{{partition(user_id)}}}:{user_id}")

    def ratings(self, user_id: UserId) -> str:
        """Hash: item to packed RatingRecord."""
        return f"{self._stem(user_id)}r:{user_id}"

    def revision(self, user_id: UserId) -> str:
        """String: the user's revision, in decimal digits."""
        return f"{self._stem(user_id)}rev:{user_id}"

    def folded(self, user_id: UserId) -> str:
        """String with a time to live: a packed FoldedUser."""
        return f"{self._stem(user_id)}f:{user_id}"

    def log(self, user_id: UserId) -> str:
        """Stream: the rating events of the user's partition."""
        return f"{self._stem(user_id)}log"

    def request(self, user_id: UserId, request_id: UUID) -> str:
        """String with a time to live: the digest of a request and its outcome."""
        return f"{self._stem(user_id)}req:{user_id}:{request_id}"

    def of_folded_state(self, user_id: UserId) -> tuple[str, str]:
        """Returns the keys of revision and folded user."""
        stem = self._stems[partition(user_id)]
        return f"{stem}rev:{user_id}", f"{stem}f:{user_id}"

    def of_read(self, version: Version, user_id: UserId) -> tuple[str, str, str, str]:
        """Returns the keys of revision, folded user, trained user and ratings."""
        place = partition(user_id)
        stem, trained = self._stems[place], self.chunk(version, f"u:{{{place}}}:{user_id}")
        return f"{stem}rev:{user_id}", f"{stem}f:{user_id}", trained, f"{stem}r:{user_id}"

    def of_write(self, user_id: UserId) -> tuple[str, str, str, str]:
        """Returns the keys of ratings, revision, folded user and log."""
        stem = self._stem(user_id)
        return f"{stem}r:{user_id}", f"{stem}rev:{user_id}", f"{stem}f:{user_id}", f"{stem}log"

    def revision_prefixes(self) -> tuple[str, ...]:
        """Returns the start of the revision keys of each partition; the user's id follows it."""
        return tuple(f"{stem}rev:" for stem in self._stems)

    def _stem(self, user_id: UserId) -> str:
        return self._stems[partition(user_id)]
