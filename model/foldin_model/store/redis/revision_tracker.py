"""Follows the revisions of all users: the store reports every change as it happens.

The store sends the names of changed revision keys (CLIENT TRACKING in broadcasting mode), so that
ratings, imports, deletions and purges by any program are seen, and an emptied store too.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from hiredis import HiredisError

from foldin_model.ids import UserId
from foldin_model.store.keys import Keys
from foldin_model.store.redis.client import Command, unavailable
from foldin_model.store.redis.endpoint import Endpoint
from foldin_model.store.redis.pipeline import Pipeline, SentCommand
from foldin_model.store.redis.reconnecting_pipeline import replies_to
from foldin_model.store.revision_protocol import BOUND_S, RevisionWatcher
from foldin_model.store.url import StoreUrl

BEAT_S: Final = 1.0
RETRY_S: Final = 0.5


class RevisionTracker:
    """A RevisionFeed over a connection of its own, which is made again when it is lost.

    Every `beat_s` it sends a PING. Replies and changes arrive in one order, so a reply proves that
    every change before it was reported. What a watcher knows is therefore trusted until `bound_s`
    after the last answered PING was sent.
    """

    def __init__(
        self,
        url: StoreUrl | str,
        namespace: str,
        *,
        timeout_s: float = 1.0,
        beat_s: float = BEAT_S,
        bound_s: float = BOUND_S,
    ) -> None:
        self._keys = Keys(namespace)
        self._endpoint = Endpoint(StoreUrl.of(url), timeout_s)
        self._beat_s = beat_s
        self._bound_s = bound_s

    async def follow(self, watcher: RevisionWatcher) -> None:
        """Calls the watcher until cancelled."""
        while True:
            await self._session(watcher)
            await asyncio.sleep(RETRY_S)

    async def _session(self, watcher: RevisionWatcher) -> None:
        """Calls the watcher until the connection is lost, and then its `lost`."""
        ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        pipeline: Pipeline | None = None

        def end(gone: Pipeline, reason: Exception) -> None:
            watcher.lost(str(unavailable(self._endpoint.url, reason)))
            ended.set_result(reason)
            for sent in gone.unanswered():
                sent.fail(reason)

        try:
            async with asyncio.timeout(self._endpoint.connect_timeout_s):
                pipeline = await self._endpoint.open(
                    lambda: Pipeline(self._bound_s, SentCommand.fail, end, _invalidations(watcher))
                )
                await replies_to(pipeline, (*self._endpoint.greeting(3), self._track()))
            watcher.changed(None)
            while not ended.done():
                asked_s = time.monotonic()
                await replies_to(pipeline, [("PING",)])
                watcher.trusted(asked_s + self._bound_s)
                await asyncio.wait([ended], timeout=self._beat_s)
        except (OSError, HiredisError) as error:
            if pipeline is None:
                watcher.lost(str(unavailable(self._endpoint.url, error)))
            else:
                pipeline.end(error)
        finally:
            if pipeline is not None:
                pipeline.end(ConnectionError("closed"))

    def _track(self) -> Command:
        prefixes = (
            word for prefix in self._keys.revision_prefixes() for word in ("PREFIX", prefix)
        )
        return ("CLIENT", "TRACKING", "ON", "BCAST", *prefixes)


def _invalidations(watcher: RevisionWatcher) -> Callable[[list[object]], None]:
    """Returns what passes the store's invalidation messages on to the watcher."""

    def report(message: list[object]) -> None:
        match message:
            case [b"invalidate", None]:
                watcher.changed(None)
            case [b"invalidate", list(names)]:
                for name in names:
                    watcher.changed(_user(name))

    return report


def _user(name: object) -> UserId:
    """Returns the user of a revision key `fi:<ns>:{<p>}:rev:<user>`; a namespace has no colon."""
    if not isinstance(name, bytes):
        raise TypeError(f"the store reported a change of {name!r}")
    return UserId(name.split(b":", 4)[4].decode())
