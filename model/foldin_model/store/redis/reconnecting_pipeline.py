"""Commands to a store over one connection, which is opened when needed and again after a loss.

Commands of one turn of the event loop are sent together; a batch is sent at once, with the commands
before it. No command waits for the replies to earlier ones. Each is sent at most once, unless the
store did not run it because it lacked the script.
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
_FAILED_OVER: Final = ("READONLY", "MASTERDOWN")  # another server took over: connect again
_UNAVAILABLE: Final = (*_FAILED_OVER, "LOADING", "BUSY", "CLUSTERDOWN", "NOAUTH")  # to any command


class ReconnectingPipeline:
    """Sends commands to one store.

    `prepare` returns the commands that follow the greeting of a new connection, and `check` raises
    if their replies are wrong. The first `reload` of them load scripts and may be sent again at any
    time. With `certain` a command is sent even if its caller has been cancelled by then.
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
        self._lacking_script: list[SentCommand] = []
        self._pipeline: Pipeline | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._flushing = False

    def submit(self, command: Command | Transaction) -> "asyncio.Future[object]":
        """Returns the future reply; it raises StoreUnavailable for an error or where none comes."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        packed, queued = _packed(command)
        self._waiting.append(SentCommand(packed, future, queued))
        self._flush_soon(loop)
        return future

    def submit_all(
        self, commands: Sequence[Command | Transaction]
    ) -> "asyncio.Future[list[object]]":
        """Returns the future replies to commands, with StoreUnavailable for each that failed.

        It costs less than as many `submit`s, because the caller is woken once. The commands are
        sent at once, after those submitted before.
        """
        batch = ReplyBatch(len(commands), asyncio.get_running_loop().create_future())
        self._flush(_batched(commands, batch))
        return batch.future

    async def close(self) -> None:
        """Closes the connection once everything submitted has its reply."""
        if self._waiting or self._pipeline is not None or self._connecting is not None:
            last = self.submit(("PING",))  # replies come in order
            await asyncio.wait([last])
            last.exception()  # the connection is closed even if the store no longer answers
        if (pipeline := self._pipeline) is not None:
            pipeline.end(ConnectionError("closed"))
            await pipeline.closed()

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._flushing:
            self._flushing = True
            loop.call_soon(self._flush)

    def _flush(self, together: Sequence[SentCommand] = ()) -> None:
        self._flushing = False
        if self._pipeline is None:
            self._waiting += together
            if self._connecting is None:
                self._connecting = asyncio.get_running_loop().create_task(self._connect())
            return
        waiting, self._waiting = self._waiting, []
        if not self._certain:
            waiting = [sent for sent in waiting if not sent.future.cancelled()]
        if waiting or together:
            self._pipeline.send((*waiting, *together))

    async def _connect(self) -> None:
        pipeline: Pipeline | None = None
        try:
            async with asyncio.timeout(self._endpoint.connect_timeout_s):
                pipeline = await self._endpoint.open(
                    lambda: Pipeline(self._endpoint.timeout_s, self._refused, self._ended)
                )
                greeting, preparing = self._endpoint.greeting(), self._prepare()
                replies = await replies_to(pipeline, (*greeting, *preparing))
                self._check(replies[len(greeting) :])
        except Exception as error:  # noqa: BLE001 (every waiting caller gets it)
            if pipeline is not None:
                pipeline.end(ConnectionError("closed"))
            waiting, self._waiting = self._waiting, []
            self._fail(waiting, error)
        else:
            self._pipeline = pipeline
            self._flush()
        finally:
            self._connecting = None

    def _refused(self, sent: SentCommand, error: ReplyError) -> None:
        word = str(error).partition(" ")[0]
        if word == _UNKNOWN_SCRIPT and not sent.repeated:  # it was not run
            sent.repeated = True
            if not self._lacking_script:
                asyncio.get_running_loop().call_soon(self._send_again)
            self._lacking_script.append(sent)
            return
        self._fail([sent], error if word in _UNAVAILABLE else refused(error))
        if word in _FAILED_OVER and self._pipeline is not None:
            asyncio.get_running_loop().call_soon(self._pipeline.end, error)

    def _send_again(self) -> None:
        """Loads the scripts and sends the commands again that failed for lack of one."""
        lacking, self._lacking_script = self._lacking_script, []
        if self._pipeline is None:
            self._fail(lacking, ConnectionError("the connection is gone"))
            return
        loads = self._prepare()[: self._reload]
        ignored = ReplyBatch(len(loads), asyncio.get_running_loop().create_future())
        ignored.future.cancel()  # if loading fails, the command that needs the script fails too
        self._pipeline.send((*_batched(loads, ignored), *lacking))

    def _ended(self, pipeline: Pipeline, reason: Exception) -> None:
        if pipeline is self._pipeline:
            self._pipeline = None
        self._fail(pipeline.unanswered(), reason)

    def _fail(self, commands: Sequence[SentCommand], reason: Exception) -> None:
        for sent in commands:
            sent.fail(self._failure(reason))

    def _failure(self, reason: Exception) -> FoldinError:
        if isinstance(reason, FoldinError):
            return reason
        failure = unavailable(self._endpoint.url, reason)
        failure.__cause__ = reason
        return failure


async def replies_to(pipeline: Pipeline, commands: Sequence[Command]) -> list[object]:
    """Sends commands at once and returns their replies. Raises the first failure."""
    if not commands:
        return []
    batch = ReplyBatch(len(commands), asyncio.get_running_loop().create_future())
    pipeline.send(_batched(commands, batch))
    replies = await batch.future
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def _batched(commands: Sequence[Command | Transaction], batch: ReplyBatch) -> list[BatchedCommand]:
    batched = []
    for place, command in enumerate(commands):
        packed, queued = _packed(command)
        batched.append(BatchedCommand(packed, batch, place, queued))
    return batched


def _packed(command: Command | Transaction) -> tuple[bytes, int]:
    """Returns the bytes of a command and how many replies come before its own."""
    # The stub of hiredis allows one argument only.
    if not isinstance(command, Transaction):
        return pack_command(command), 0  # type: ignore[arg-type]
    packed = [pack_command(one) for one in command.commands]  # type: ignore[arg-type]
    return b"".join((_BEGIN, *packed, _RUN)), 1 + len(packed)
