"""Rating stores that fail or wait on command."""

import asyncio
from collections.abc import Sequence

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


class Gate:
    """A store behind a gate: while it is `gone` calls fail, while `open` is not set they wait.

    While it is `full` it refuses writes, and answers all other calls.
    """

    def __init__(self, store: RatingStore) -> None:
        self.store = store
        self.gone = False
        self.full = False
        self.open = asyncio.Event()
        self.open.set()
        self.asked = 0

    async def write(self, write: RatingWrite) -> WriteOutcome:
        await self._pass()
        if self.full:
            raise StoreRefused("the store refused it: it is full")
        return await self.store.write(write)

    async def import_ratings(
        self, user_id: UserId, ratings: Sequence[ImportedRating]
    ) -> ImportOutcome:
        await self._pass()
        return await self.store.import_ratings(user_id, ratings)

    async def revision(self, user_id: UserId) -> int:
        await self._pass()
        return await self.store.revision(user_id)

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> StoredUser:
        await self._pass()
        return await self.store.read(user_id, version, history=history)

    async def read_all(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser | FoldinError]:
        await self._pass()
        return await self.store.read_all(users, version)

    async def keep_folded(self, users: Sequence[tuple[UserId, PackedUser]]) -> list[bool]:
        await self._pass()
        return await self.store.keep_folded(users)

    async def ping(self) -> None:
        await self._pass()
        await self.store.ping()

    async def close(self) -> None:
        await self.store.close()

    async def _pass(self) -> None:
        self.asked += 1
        await self.open.wait()
        if self.gone:
            raise StoreUnavailable("the store is gone; start it again")
