"""A rating store that fails at once while the store behind it is known to be unreachable.

It adds no retries and no timeouts; the store behind it has its own.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Final, TypeGuard, TypeVar

from foldin_model.errors import FoldinError, StoreRefused, StoreUnavailable
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_model.store.protocols import (
    ImportedRating,
    ImportOutcome,
    RatingStore,
    RatingWrite,
    StoredUser,
    WriteOutcome,
)

from foldin_server.runtime.metrics import Metrics

PING_INTERVAL_S: Final = 0.1
log = logging.getLogger(__name__)
Result = TypeVar("Result")


class GuardedStore:
    """A `RatingStore` whose calls raise StoreUnavailable after a failure, until a ping succeeds.

    A store that refuses a call (StoreRefused) is reachable, since it answers.
    """

    def __init__(self, store: RatingStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._pinging: asyncio.Task[None] | None = None

    @property
    def reachable(self) -> bool:
        """Returns whether the store answered the last call."""
        return self._pinging is None

    async def write(self, write: RatingWrite) -> WriteOutcome:
        return await self._guarded(self._store.write(write))

    async def import_ratings(
        self, user_id: UserId, ratings: Sequence[ImportedRating]
    ) -> ImportOutcome:
        return await self._guarded(self._store.import_ratings(user_id, ratings))

    async def revision(self, user_id: UserId) -> int:
        return await self._guarded(self._store.revision(user_id))

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> StoredUser:
        return await self._guarded(self._store.read(user_id, version, history=history))

    async def read_all(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser | FoldinError]:
        """Raises StoreUnavailable only if the store was known to be unreachable before."""
        states = await self._guarded(self._store.read_all(users, version))
        if states and _is_gone(first := states[0]) and all(map(_is_gone, states)):
            self._lost(first)
        return states

    async def keep_folded(self, users: Sequence[tuple[UserId, PackedUser]]) -> list[bool]:
        return await self._guarded(self._store.keep_folded(users))

    async def ping(self) -> None:
        await self._guarded(self._store.ping())

    async def close(self) -> None:
        """Stops the pings and closes the store."""
        if self._pinging is not None:
            self._pinging.cancel()
            await asyncio.wait([self._pinging])
        await self._store.close()

    async def _guarded(self, operation: Coroutine[object, object, Result]) -> Result:
        if self._pinging is not None:
            operation.close()  # it has not begun
            raise StoreUnavailable("the store is out of reach; try again soon")
        try:
            return await operation
        except StoreUnavailable as error:
            if _is_gone(error):
                self._lost(error)
            raise

    def _lost(self, error: StoreUnavailable) -> None:
        if self._pinging is not None:
            return
        log.error("store_lost", extra={"error": str(error)})
        self._metrics.store_outages.inc()
        self._metrics.store_reachable.set(0)
        self._pinging = asyncio.get_running_loop().create_task(self._find())

    async def _find(self) -> None:
        while not await self._answers():  # noqa: ASYNC110 (the store sends no event)
            await asyncio.sleep(PING_INTERVAL_S)
        self._pinging = None
        self._metrics.store_reachable.set(1)
        log.info("store_found")

    async def _answers(self) -> bool:
        try:
            await self._store.ping()
        except StoreUnavailable:
            return False
        return True


def _is_gone(outcome: object) -> TypeGuard[StoreUnavailable]:
    return isinstance(outcome, StoreUnavailable) and not isinstance(outcome, StoreRefused)
