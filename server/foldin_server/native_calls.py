"""One call on pygrpc-native's front: what its handler knows as the context, and how it ends.

A call ends once: with a response, with a status, or because its caller left.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

import grpc
from pygrpc_native import STREAM_CLOSED, STREAM_FULL, NativeGrpcFront

from foldin_server.deadlines import Deadline

Metadata = Sequence[tuple[str, str | bytes]]
NO_METADATA: Final[Metadata] = ()
TOO_LARGE: Final[int] = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


class Aborted(Exception):
    """A handler ended its call with a status."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing: Metadata) -> None:
        super().__init__(details)
        self.code: int = code.value[0]
        self.details = details
        self.trailing = trailing


class OpenCalls(dict[int, "NativeCall"]):
    """The calls of one front that have not ended, by id."""

    def __init__(
        self, front: NativeGrpcFront, *, most_request_bytes: int, most_response_bytes: int
    ) -> None:
        super().__init__()
        self.front = front
        self.most_request_bytes = most_request_bytes
        self.most_response_bytes = most_response_bytes
        self._none: asyncio.Event | None = None

    def end(self, call_id: int) -> None:
        """The call is open no more."""
        del self[call_id]
        if self._none is not None and not self:
            self._none.set()

    async def drain(self, seconds: float) -> None:
        """Returns when no call is open, or after so long."""
        if self:
            self._none = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none.wait(), seconds)


class NativeCall:
    """A call, open until it ends. `left` is called where its caller leaves before."""

    __slots__ = ("_calls", "call_id", "deadline", "ended", "left", "task")

    def __init__(self, calls: OpenCalls, call_id: int, seconds_left: float | None) -> None:
        self._calls = calls
        self.deadline = Deadline.after(seconds_left)
        self.call_id = call_id
        self.ended = False  # nobody waits any more
        self.task: asyncio.Task[Any] | None = None
        self.left: Callable[[], None] | None = None
        calls[call_id] = self

    def time_remaining(self) -> float | None:
        """Seconds until the caller goes, None for one who stays."""
        return self.deadline.left

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = NO_METADATA
    ) -> NoReturn:
        raise Aborted(code, details, trailing_metadata)

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        raise Aborted(status.code, status.details, status.trailing_metadata)

    def respond(self, response: bytes) -> None:
        """Ends the call well, if the response is not too large."""
        most_bytes = self._calls.most_response_bytes
        if len(response) > most_bytes:
            self._too_large(response, most_bytes)
        elif self._end():
            self._calls.front.respond(self.call_id, response)

    def fail(self, code: int, details: str, trailing: Metadata = NO_METADATA) -> None:
        """Ends the call with a status other than OK."""
        if self._end():
            self._calls.front.fail(self.call_id, code, details, trailing_metadata=list(trailing))

    def fits(self, request: bytes) -> bool:
        """Whether the request may be so large; else the call has ended."""
        most_bytes = self._calls.most_request_bytes
        if len(request) > most_bytes:
            self._too_large(request, most_bytes)
        return not self.ended

    async def send(self, response: bytes) -> bool:
        """Sends one of several responses; False where the caller has left."""
        sent = self._calls.front.stream_try_send(self.call_id, response)
        if sent == STREAM_FULL:  # the caller is slow: room is waited for off the loop
            return await asyncio.to_thread(self._calls.front.stream_send, self.call_id, response)
        return bool(sent != STREAM_CLOSED)

    def finish(self) -> None:
        """Ends a call of several responses well."""
        if self._end():
            self._calls.front.stream_end(self.call_id)

    def leave(self) -> None:
        """Nobody waits any more: what works for the call stops."""
        if not self._end():
            return
        if self.task is not None:
            self.task.cancel()
        if self.left is not None:
            self.left()

    def _end(self) -> bool:
        """Whether the call was open; it is no more."""
        was_open, self.ended = not self.ended, True
        if was_open:
            self._calls.end(self.call_id)
        return was_open

    def _too_large(self, message: bytes, most_bytes: int) -> None:
        self.fail(TOO_LARGE, f"a message has {len(message)} bytes; {most_bytes} is the limit")
