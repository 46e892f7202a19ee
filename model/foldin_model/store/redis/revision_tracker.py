"""Tells of every change to a user's revision, whoever makes it, as soon as the store knows of it.

The store itself sends the names of revision keys that changed (CLIENT TRACKING, broadcasting), so
that ratings, imports, deletions and purges of any program are told, and an emptied store too.
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
from foldin_model.store.redis.reconnecting_pipeline import answers
from foldin_model.store.revision_protocol import BOUND_S, RevisionWatcher
from foldin_model.store.url import StoreUrl

BEAT_S: Final = 1.0
RETRY_S: Final = 0.5


class RevisionTracker:
    """Follows the revisions of one namespace over a connection of its own, and renews it.

    Once every `beat_s` the store must answer a PING. Replies and changes come in one order, so an
    answer says that every change before it was told: what a watcher knows is trusted for `bound_s`
    from the sending of the last PING that was answered, and no longer.
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
        """Tells the watcher until it is cancelled."""
        while True:
            await self._session(watcher)
            await asyncio.sleep(RETRY_S)

    async def _session(self, watcher: RevisionWatcher) -> None:
        """Tells the watcher from one connection until that is lost, and that it is lost."""
        ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        stream: Pipeline | None = None

        def end(gone: Pipeline, reason: Exception) -> None:
            watcher.lost(str(unavailable(self._endpoint.url, reason)))
            ended.set_result(reason)
            for sent in gone.unanswered():
                sent.fail(reason)

        try:
            async with asyncio.timeout(self._endpoint.connect_timeout_s):
                stream = await self._endpoint.open(
                    lambda: Pipeline(self._bound_s, SentCommand.fail, end, _told_to(watcher))
                )
                await answers(stream, (*self._endpoint.greeting(3), self._track()))
            watcher.changed(None)
            while not ended.done():
                asked_s = time.monotonic()
                await answers(stream, [("PING",)])
                watcher.trusted(asked_s + self._bound_s)
                await asyncio.wait([ended], timeout=self._beat_s)
        except (OSError, HiredisError) as error:
            if stream is None:
                watcher.lost(str(unavailable(self._endpoint.url, error)))
            else:
                stream.end(error)
        finally:
            if stream is not None:
                stream.end(ConnectionError("closed"))

    def _track(self) -> Command:
        prefixes = (
            word for prefix in self._keys.revision_prefixes() for word in ("PREFIX", prefix)
        )
        return ("CLIENT", "TRACKING", "ON", "BCAST", *prefixes)


def _told_to(watcher: RevisionWatcher) -> Callable[[list[object]], None]:
    def told(message: list[object]) -> None:
        match message:
            case [b"invalidate", None]:
                watcher.changed(None)
            case [b"invalidate", list(names)]:
                for name in names:
                    watcher.changed(_user(name))

    return told


def _user(name: object) -> UserId:
    """The user of a revision key, `fi:<ns>:{<p>}:rev:<user>`; no namespace has a colon."""
    if not isinstance(name, bytes):
        raise TypeError(f"the store told of a change to {name!r}")
    return UserId(name.split(b":", 4)[4].decode())
