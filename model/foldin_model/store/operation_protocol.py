"""What an operator asks of a store: its size, what was left behind, and to forget a user.

These may walk over all keys of a namespace; nothing that serves does.
"""

from collections.abc import Sequence
from typing import Protocol

from foldin_model.ids import UserId, Version


class StoreOperations(Protocol):
    """Looks after one namespace. Every method raises StoreUnavailable."""

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
        """Returns the versions that have keys but are not among those known."""
        ...

    def remove_unfinished(self, version: Version) -> int:
        """Removes the keys of a version that is not listed; returns how many there were."""
        ...

    def close(self) -> None:
        """Gives the connection back."""
        ...
