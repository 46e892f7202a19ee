"""The protocol of a store for operators: sizes, leftovers of publishing, and purging a user.

These may scan all keys of a namespace; nothing on the serving path does.
"""

from collections.abc import Sequence
from typing import Protocol

from foldin_model.ids import UserId, Version


class StoreOperations(Protocol):
    """Maintenance of one namespace. Every method raises StoreUnavailable."""

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Returns the number of keys and their bytes in memory, by kind of key."""
        ...

    def purge(self, user_id: UserId, versions: Sequence[Version]) -> int:
        """Removes all that is kept of a user; returns how many keys and log entries there were."""
        ...

    def all_versions(self) -> set[Version]:
        """Returns the versions of every namespace of this store."""
        ...

    def unfinished_versions(self, known: Sequence[Version]) -> list[Version]:
        """Returns the versions that have keys but are not in `known`."""
        ...

    def remove_unfinished(self, version: Version) -> int:
        """Removes the keys of a version that is not listed; returns how many there were."""
        ...

    def close(self) -> None:
        """Closes the connection."""
        ...
