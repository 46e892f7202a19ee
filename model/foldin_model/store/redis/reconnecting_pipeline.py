"""A connection to the store that is made when it is needed and made again when it was lost.

Commands of one turn of the event loop leave together, a batch at once with those before it; none
waits for those under way. Each is sent at most once, unless the store says that it did not run it
for want of a script.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from hiredis import ReplyError, pack_command

from foldin_model.errors import FoldinError
from foldin_model.store.redis.client import Command, Transaction, refused, unavailable
from foldin_model.store.redis.endpoint import Endpoint
from foldin_model.store.redis.pipeline import BatchedCommand, Pipeline, ReplyBatch, SentCommand

_UNKNOWN_SCRIPT: Final = "NOSCRIPT"
_BEGIN: Final = pack_command(("MULTI",))
_RUN: Final = pack_command(("EXEC",))
_ELSEWHERE: Final = ("READONLY", "MASTERDOWN")  # another server took over: ask for it anew
_UNREADY: Final = (*_ELSEWHERE, "LOADING", "BUSY", "CLUSTERDOWN", "NOAUTH")  # whatever is asked


class ReconnectingPipeline:
    """Commands to one store over one connection.

    `prepare` gives the commands that a new connection begins with after its greeting and `check`
    judges their replies; the first `reload` of them can be sent again at any time. With `certain`
    a command is sent even if its caller has gone away by then.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        prepare: Callable[[], Sequence[Command]],
        check: Callable[[Sequence[object]], None],
        *,
        reload: int = 0,
        certain: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._prepare = prepare
        self._check = check
        self._reload = reload
        self._certain = certain
        self._waiting: list[SentCommand] = []
        self._forgotten: list[SentCommand] = []
        self._stream: Pipeline | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._flushing = False

    def submit(self, command: Command | Transaction) -> "asyncio.Future[object]":
        """The future reply; StoreUnavailable where none comes, or one that tells of an error."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        packed, queued = _packed(command)
        self._waiting.append(SentCommand(packed, future, queued))
        self._flush_soon(loop)
        return future

    def submit_all(
        self, commands: Sequence[Command | Transaction]
    ) -> "asyncio.Future[list[object]]":
        """The future replies to one command or more; StoreUnavailable stands for one that failed.

        It costs less than as many submits: who waits is woken once. They leave at once, with those
        that were submitted before.
        """
        batch = ReplyBatch(len(commands), asyncio.get_running_loop().create_future())
        self._flush(_sent_together(commands, batch))
        return batch.future

    async def close(self) -> None:
        """Hangs up when everything submitted was answered."""
        if self._waiting or self._stream is not None or self._connecting is not None:
            last = self.submit(("PING",))  # replies come in order
            await asyncio.wait([last])
            last.exception()  # a store that does not answer any more is left all the same
        if (stream := self._stream) is not None:
            stream.end(ConnectionError("closed"))
            await stream.closed()

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._flushing:
            self._flushing = True
            loop.call_soon(self._flush)

    def _flush(self, together: Sequence[SentCommand] = ()) -> None:
        self._flushing = False
        if self._stream is None:
            self._waiting += together
            if self._connecting is None:
                self._connecting = asyncio.get_running_loop().create_task(self._connect())
            return
        waiting, self._waiting = self._waiting, []
        if not self._certain:
            waiting = [sent for sent in waiting if not sent.future.cancelled()]
        if waiting or together:
            self._stream.send((*waiting, *together))

    async def _connect(self) -> None:
        made: Pipeline | None = None
        try:
            async with asyncio.timeout(self._endpoint.connect_timeout_s):
                made = await self._endpoint.open(
                    lambda: Pipeline(self._endpoint.timeout_s, self._refused, self._ended)
                )
                greeting, preparing = self._endpoint.greeting(), self._prepare()
                replies = await answers(made, (*greeting, *preparing))
                self._check(replies[len(greeting) :])
        except Exception as error:  # noqa: BLE001 (every caller who waits gets it)
            if made is not None:
                made.end(ConnectionError("closed"))
            waiting, self._waiting = self._waiting, []
            self._fail(waiting, error)
        else:
            self._stream = made
            self._flush()
        finally:
            self._connecting = None

    def _refused(self, sent: SentCommand, error: ReplyError) -> None:
        word = str(error).partition(" ")[0]
        if word == _UNKNOWN_SCRIPT and not sent.repeated:  # it was not run
            sent.repeated = True
            if not self._forgotten:
                asyncio.get_running_loop().call_soon(self._send_again)
            self._forgotten.append(sent)
            return
        self._fail([sent], error if word in _UNREADY else refused(error))
        if word in _ELSEWHERE and self._stream is not None:
            asyncio.get_running_loop().call_soon(self._stream.end, error)

    def _send_again(self) -> None:
        """Sends what a store did not know, its scripts before it."""
        forgotten, self._forgotten = self._forgotten, []
        if self._stream is None:
            self._fail(forgotten, ConnectionError("the connection is gone"))
            return
        loads = self._prepare()[: self._reload]
        unheard = ReplyBatch(len(loads), asyncio.get_running_loop().create_future())
        unheard.future.cancel()  # where one fails, the command that needs it will say so
        self._stream.send((*_sent_together(loads, unheard), *forgotten))

    def _ended(self, stream: Pipeline, reason: Exception) -> None:
        if stream is self._stream:
            self._stream = None
        self._fail(stream.unanswered(), reason)

    def _fail(self, commands: Sequence[SentCommand], reason: Exception) -> None:
        for sent in commands:
            sent.fail(self._failure(reason))

    def _failure(self, reason: Exception) -> FoldinError:
        if isinstance(reason, FoldinError):
            return reason
        failure = unavailable(self._endpoint.url, reason)
        failure.__cause__ = reason
        return failure


async def answers(stream: Pipeline, commands: Sequence[Command]) -> list[object]:
    """What a connection answers to commands of its own. Raises the first failure."""
    if not commands:
        return []
    batch = ReplyBatch(len(commands), asyncio.get_running_loop().create_future())
    stream.send(_sent_together(commands, batch))
    answered = await batch.future
    for reply in answered:
        if isinstance(reply, Exception):
            raise reply
    return answered


def _sent_together(
    commands: Sequence[Command | Transaction], batch: ReplyBatch
) -> list[BatchedCommand]:
    together = []
    for place, command in enumerate(commands):
        packed, queued = _packed(command)
        together.append(BatchedCommand(packed, batch, place, queued))
    return together


def _packed(command: Command | Transaction) -> tuple[bytes, int]:
    """The bytes of a command and how many replies come before its own."""
    # The stub of hiredis has one argument where any number may stand.
    if not isinstance(command, Transaction):
        return pack_command(command), 0  # type: ignore[arg-type]
    packed = [pack_command(one) for one in command.commands]  # type: ignore[arg-type]
    return b"".join((_BEGIN, *packed, _RUN)), 1 + len(packed)
