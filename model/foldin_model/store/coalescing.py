"""Requests that arrive while one batch is on its way leave together in the next: group commit.

It knows nothing of what is sent; a batch never waits for company, only for the one before it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class Coalescer(Generic[Request, Reply]):
    """Sends requests in batches of at most `most`, one batch at a time.

    `send` answers one reply or exception for each request; what it raises, all of them get.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Request]], Awaitable[Sequence[Reply | Exception]]],
        *,
        most: int = 1_000,
    ) -> None:
        self._send = send
        self._most = most
        self._waiting: deque[tuple[Request, asyncio.Future[Reply]]] = deque()
        self._sender: asyncio.Task[None] | None = None

    def submit(self, request: Request) -> "asyncio.Future[Reply]":
        """The future reply. Cancelled before its batch leaves, the request is not sent at all."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append((request, future))
        if self._sender is None or self._sender.done():
            self._sender = loop.create_task(self._send_all())
        return future

    async def drain(self) -> None:
        """Returns when every request submitted has its reply."""
        if self._sender is not None:
            await self._sender

    async def _send_all(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            batch = [(request, future) for request, future in taken if not future.cancelled()]
            if not batch:
                continue
            try:
                replies = await self._send([request for request, _ in batch])
            except Exception as error:  # noqa: BLE001  # it is raised to every caller
                replies = [error] * len(batch)
            for (_, future), reply in zip(batch, replies, strict=True):
                _settle(future, reply)


def _settle(future: "asyncio.Future[Reply]", reply: Reply | Exception) -> None:
    if future.done():
        return
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)
