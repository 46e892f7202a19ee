"""The protocols of a feed of changed user revisions, and of the watcher that it calls."""

from typing import Final, Protocol

from foldin_model.ids import UserId

BOUND_S: Final = 2.0


class RevisionWatcher(Protocol):
    """Receives changes. Between `lost` and the next `trusted` any revision may have changed."""

    def changed(self, user_id: UserId | None) -> None:
        """The revision of the user has changed; with None, that of any user may have."""
        ...

    def trusted(self, until_s: float) -> None:
        """Every change older than BOUND_S at `time.monotonic() == until_s` has been reported."""
        ...

    def lost(self, reason: str) -> None:
        """Changes are no longer reported."""
        ...


class RevisionFeed(Protocol):
    """Every change to a user's revision in one namespace, whichever program makes it."""

    async def follow(self, watcher: RevisionWatcher) -> None:
        """Calls the watcher until cancelled; a lost connection is made again."""
        ...
