"""One call on pygrpc-native's front: its record, what its handler knows as the context, its end.

A call ends once: with a response, with a status, or because its caller left.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

import grpc
from pygrpc_native import STREAM_CLOSED, STREAM_FULL, NativeGrpcFront

from foldin_server.admission.calls import Call, Calls
from foldin_server.runtime.deadline import Deadline

Metadata = Sequence[tuple[str, str | bytes]]
NO_METADATA: Final[Metadata] = ()


class Aborted(Exception):
    """A handler ended its call with a status."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing: Metadata) -> None:
        super().__init__(details)
        self.code = code
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

    def end(self, call: "NativeCall") -> bool:
        """Whether the call was open; it is no more, and its place in work is free."""
        if call.ended:
            return False
        call.ended = True
        del self[call.call_id]
        if call.owner is not None:
            call.owner.ended(call)
        if self._none is not None and not self:
            self._none.set()
        return True

    async def drain(self, seconds: float) -> None:
        """Returns when no call is open, or after so long."""
        if self:
            self._none = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none.wait(), seconds)


class NativeCall(Call):
    """A call, open until it ends, which its `owner` then is told of."""

    __slots__ = ("_open", "call_id", "ended", "owner", "task")

    def __init__(
        self,
        method: str,
        open_calls: OpenCalls,
        call_id: int,
        seconds_left: float | None,
        owner: Calls | None = None,
    ) -> None:
        super().__init__(method)
        self.deadline = Deadline.after(seconds_left)
        self._open = open_calls
        self.call_id = call_id
        self.owner = owner
        self.ended = False  # nobody waits any more
        self.task: asyncio.Task[Any] | None = None
        open_calls[call_id] = self

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
        calls = self._open
        if len(response) > calls.most_response_bytes:
            self.fail_too_large(response, calls.most_response_bytes)
        elif calls.end(self):
            calls.front.respond(self.call_id, response)

    def fail(self, code: grpc.StatusCode, details: str, trailing: Metadata = NO_METADATA) -> None:
        """Ends the call with a status other than OK."""
        self.code = code.name
        if self._open.end(self):
            metadata = list(trailing)
            number: int = code.value[0]
            self._open.front.fail(self.call_id, number, details, trailing_metadata=metadata)

    def fail_too_large(self, message: bytes, most_bytes: int) -> None:
        """Ends the call because of a message that is too large."""
        details = f"a message has {len(message)} bytes; {most_bytes} is the limit"
        self.fail(grpc.StatusCode.RESOURCE_EXHAUSTED, details)

    async def send(self, response: bytes) -> bool:
        """Sends one of several responses; False where the caller has left."""
        front = self._open.front
        sent = front.stream_try_send(self.call_id, response)
        if sent == STREAM_FULL:  # the caller is slow: room is waited for off the loop
            return await asyncio.to_thread(front.stream_send, self.call_id, response)
        return bool(sent != STREAM_CLOSED)

    def finish(self) -> None:
        """Ends a call of several responses well."""
        if self._open.end(self):
            self._open.front.stream_end(self.call_id)

    def leave(self) -> None:
        """Nobody waits any more: what works for the call stops."""
        self.code = "CANCELLED"
        if self._open.end(self) and self.task is not None:
            self.task.cancel()
