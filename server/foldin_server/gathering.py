"""Plain recommendations that are asked for together are made by one search.

Nobody waits for company: what has come by the next turn of the event loop is answered there.
"""

import asyncio
from collections import defaultdict
from typing import Final

from foldin_model.snapshot import Snapshot
from foldin_model.users import FoldedUser

from foldin_server.ranking import PlainPage, plain_pages

OPERATIONS: Final = 20_000_000  # multiplications a turn, about a millisecond of one core
Future = asyncio.Future[PlainPage]


class Gathering:
    """The plain pages that are asked for and not made yet."""

    def __init__(self) -> None:
        self._waiting: defaultdict[tuple[Snapshot, int], list[tuple[FoldedUser, Future]]]
        self._waiting = defaultdict(list)

    def page(self, snapshot: Snapshot, user: FoldedUser, size: int) -> Future:
        """The first `size` items for a user, made with those that others ask for meanwhile."""
        loop = asyncio.get_running_loop()
        future: Future = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._make)
        self._waiting[snapshot, size].append((user, future))
        return future

    def _make(self) -> None:
        (snapshot, size), waiting = next(iter(self._waiting.items()))
        most = max(1, OPERATIONS // snapshot.model.items.size)
        batch = [(user, future) for user, future in waiting[:most] if not future.cancelled()]
        del waiting[:most]
        if not waiting:
            del self._waiting[snapshot, size]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._make)
        try:
            pages = plain_pages(snapshot, [user for user, _ in batch], size)
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            for _, future in batch:
                future.set_exception(error)
        else:
            for (_, future), page in zip(batch, pages, strict=True):
                future.set_result(page)
