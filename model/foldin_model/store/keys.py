"""Every key of the store is named here and nowhere else.

All keys of a namespace begin with `fi:<ns>`. The braces are what Redis Cluster hashes: one user's
mutable state and her shard of the log lie in one slot, so that one script may touch them all.
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zlib import crc32

from foldin_model.errors import InvalidField, Violation
from foldin_model.ids import UserId, Version

PARTITIONS: Final = 64
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def partition(user_id: UserId) -> int:
    """The partition of a user, 0 to 63, the same on every machine."""
    return crc32(user_id.encode()) % PARTITIONS


@dataclass(frozen=True, slots=True)
class Keys:
    """The key names of one namespace. Raises InvalidField for a name that could be misread."""

    namespace: str

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            allowed = "1 to 64 letters, digits, dots, dashes and underscores"
            raise InvalidField(Violation("namespace", f"{self.namespace!r} is not {allowed}"))

    @property
    def control(self) -> str:
        """Hash: current, previous, epoch, partitions, page_key."""
        return f"{{fi:{self.namespace}}}:ctl"

    @property
    def versions(self) -> str:
        """Sorted set: version by publish time."""
        return f"{{fi:{self.namespace}}}:versions"

    def manifest(self, version: Version) -> str:
        """String: the manifest's JSON."""
        return self.chunk(version, "manifest")

    def chunk(self, version: Version, name: str) -> str:
        """String: one chunk such as `items:0` or `users:0`."""
        return f"fi:{self.namespace}:v:{version}:{name}"

    def trained(self, version: Version, user_id: UserId) -> str:
        """String: a packed TrainedUser."""
        return f"fi:{self.namespace}:v:{version}:u:{{{partition(user_id)}}}:{user_id}"

    def ratings(self, user_id: UserId) -> str:
        """Hash: item to packed RatingRecord. The truth."""
        return self._of_user("r", user_id)

    def revision(self, user_id: UserId) -> str:
        """String: the user's revision, in decimal digits."""
        return self._of_user("rev", user_id)

    def folded(self, user_id: UserId) -> str:
        """String with a time to live: a packed FoldedUser."""
        return self._of_user("f", user_id)

    def request(self, user_id: UserId, request_id: UUID) -> str:
        """String with a time to live: what a request asked and what it was answered."""
        return f"{self._of_user('req', user_id)}:{request_id}"

    def log(self, user_id: UserId) -> str:
        """Stream: the rating events of the user's partition."""
        return f"fi:{self.namespace}:{{{partition(user_id)}}}:log"

    def _of_user(self, kind: str, user_id: UserId) -> str:
        return f"fi:{self.namespace}:{{{partition(user_id)}}}:{kind}:{user_id}"
