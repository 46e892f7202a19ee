"""One live connection to a store: commands are sent in order and replies arrive in that order.

It does not know what the commands mean and does not reconnect; a callback reports its end.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, cast

from hiredis import HiredisError, PushNotification, Reader, ReplyError

_MORE: Final = object()  # what the reader returns while a reply is incomplete
_POLL_S: Final = 0.001  # long enough to read what has arrived before the time is up


class SentCommand:
    """A packed command and the future that waits for its reply.

    It may be a packed transaction: `queued` replies come first, then that of EXEC, which counts.
    """

    __slots__ = ("future", "packed", "queued", "refusal", "repeated")

    def __init__(self, packed: bytes, future: "asyncio.Future[Any]", queued: int = 0) -> None:
        self.packed = packed
        self.future = future
        self.queued = queued
        self.refusal: ReplyError | None = None
        self.repeated = False

    def answer(self, reply: object) -> None:
        """Passes the reply on, unless the caller was cancelled."""
        if not self.future.done():
            self.future.set_result(reply)

    def fail(self, reason: Exception) -> None:
        """Passes on that there will be no reply."""
        if not self.future.done():
            self.future.set_exception(reason)


class ReplyBatch:
    """The replies to several commands, passed on as one list; an error stands for its reply."""

    __slots__ = ("_left", "_replies", "future")

    def __init__(self, count: int, future: "asyncio.Future[list[object]]") -> None:
        self.future = future
        self._replies: list[object] = [None] * count
        self._left = count

    def put(self, place: int, reply: object) -> None:
        """Stores one reply, and passes the list on after the last."""
        self._replies[place] = reply
        self._left -= 1
        if not self._left and not self.future.done():
            self.future.set_result(self._replies)


class BatchedCommand(SentCommand):
    """One command of a batch, with the place of its reply."""

    __slots__ = ("_batch", "_place")

    def __init__(self, packed: bytes, batch: ReplyBatch, place: int, queued: int = 0) -> None:
        super().__init__(packed, batch.future, queued)
        self._batch = batch
        self._place = place

    def answer(self, reply: object) -> None:
        self._batch.put(self._place, reply)

    def fail(self, reason: Exception) -> None:
        self._batch.put(self._place, reason)


class Pipeline(asyncio.Protocol):
    """The protocol of a connection, which ends when a due reply does not arrive in `timeout_s`.

    Time in which other work holds up the event loop does not count. `refused` receives the commands
    that were answered with an error, `pushed` the messages that are no replies, and `ended`, once,
    the reason why the connection ended.
    """

    def __init__(
        self,
        timeout_s: float,
        refused: Callable[[SentCommand, ReplyError], None],
        ended: Callable[["Pipeline", Exception], None],
        pushed: Callable[[list[object]], None] | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._refused = refused
        self._ended = ended
        self._pushed = pushed
        self._reader = Reader(notEnoughData=_MORE)
        self._sent: deque[SentCommand] = deque()
        self._commands_sent = 0
        # For each batch under way: the number of its last command, and when its reply is due.
        self._due: deque[tuple[int, float]] = deque()
        self._heard_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[None] = self._loop.create_future()

    def send(self, batch: Sequence[SentCommand]) -> None:
        """Sends commands in one write; each future gets its reply, unless it is done by then."""
        if self._transport is None:
            raise ConnectionError("the connection is gone")
        self._sent.extend(batch)
        self._commands_sent += len(batch)
        due_s = self._loop.time() + self._timeout_s
        self._due.append((self._commands_sent, due_s))
        if self._timer is None:
            self._timer = self._loop.call_at(due_s, self._check_time)
        self._transport.write(b"".join([sent.packed for sent in batch]))

    def end(self, reason: Exception) -> None:
        """Closes the connection and reports the reason to `ended`."""
        if self._transport is not None:
            self._transport.abort()
            self._leave(reason)

    def unanswered(self) -> list[SentCommand]:
        """Removes and returns the commands without a reply; they will get none."""
        left = list(self._sent)
        self._sent.clear()
        return left

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._loop.time()
        next_reply, sent = self._reader.gets, self._sent
        try:
            self._reader.feed(data)
            while (reply := next_reply()) is not _MORE:
                if isinstance(reply, PushNotification):
                    if self._pushed is not None:
                        self._pushed(reply)
                    continue
                command = sent[0]
                if command.queued:
                    command.queued -= 1
                    _note_refusal(command, reply)
                    continue
                sent.popleft()
                if isinstance(reply, ReplyError) or command.refusal is not None:
                    self._refused(command, command.refusal or reply)
                else:
                    command.answer(reply)
        except (HiredisError, IndexError) as error:  # not a reply, or one that no command waits for
            self.end(ConnectionError(f"the store sent what cannot be read: {error}"))
            return
        answered = self._commands_sent - len(sent)
        while self._due and self._due[0][0] <= answered:
            self._due.popleft()

    async def closed(self) -> None:
        """Returns once the socket is closed."""
        await self._closed

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set_result(None)
        self._leave(exc or ConnectionError("the store closed the connection"))

    def _check_time(self, *, patient: bool = False) -> None:
        self._timer = None
        if not self._due:
            return
        due_s = max(self._due[0][1], self._heard_s + self._timeout_s)
        late_s = self._loop.time() - due_s
        if late_s < 0:
            self._timer = self._loop.call_at(due_s, self._check_time)
        elif patient:
            self.end(TimeoutError(f"nothing came for {self._timeout_s:g} s"))
        else:  # while the loop was held up, replies could not be read nor commands sent
            wait_s = max(_POLL_S, min(late_s, self._timeout_s))
            self._timer = self._loop.call_later(wait_s, partial(self._check_time, patient=True))

    def _leave(self, reason: Exception) -> None:
        if self._transport is None:
            return
        self._transport = None
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._ended(self, reason)


def _note_refusal(transaction: SentCommand, reply: object) -> None:
    """Keeps the first refusal of a command in a transaction: it explains best why EXEC fails."""
    if isinstance(reply, ReplyError) and transaction.refusal is None:
        transaction.refusal = reply
