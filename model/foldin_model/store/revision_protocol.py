"""Changes of users' revisions as the store tells of them: who follows, and who is told."""

from typing import Final, Protocol

from foldin_model.ids import UserId

BOUND_S: Final = 2.0


class RevisionWatcher(Protocol):
    """Who is told. Between `lost` and the next `trusted` anything may have changed."""

    def changed(self, user_id: UserId | None) -> None:
        """The user's revision is another one now; None: that of any user may be."""
        ...

    def trusted(self, until_s: float) -> None:
        """All changes have been told that are older than BOUND_S at that `time.monotonic`."""
        ...

    def lost(self, reason: str) -> None:
        """Changes are not told any more."""
        ...


class RevisionFeed(Protocol):
    """Every change to a user's revision in one namespace, whichever program makes it."""

    async def follow(self, watcher: RevisionWatcher) -> None:
        """Tells the watcher until it is cancelled; a lost connection is renewed."""
        ...
