"""One call on pygrpc-native's front, which is its own reply.

A call ends once: with a response, with a failure, or because its caller left.
"""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
from pygrpc_native import STREAM_CLOSED, STREAM_FULL, NativeGrpcFront

from foldin_server.admission.call import NO_METADATA, Call, Metadata
from foldin_server.admission.door import Door, Failure
from foldin_server.admission.method import Method, Work
from foldin_server.admission.request_ids import failure_trailers, success_trailers
from foldin_server.runtime.deadline import NEVER, Deadline

Details = tuple[Metadata, str, float | None]
"""Metadata, peer and seconds left of a call, as the front reports them."""


class OpenCalls(dict[int, "NativeCall"]):
    """The calls of one front that have not ended, by id."""

    def __init__(
        self,
        front: NativeGrpcFront,
        door: Door,
        *,
        max_request_bytes: int,
        max_response_bytes: int,
    ) -> None:
        super().__init__()
        self.front = front
        self.door = door
        self.max_request_bytes = max_request_bytes
        self.max_response_bytes = max_response_bytes
        self._none: asyncio.Event | None = None

    def begin(self, method: Method, call_id: int, request: bytes, details: Details) -> None:
        """Sees a call of a unary method through the door as soon as it is here.

        It holds its place from now on, though its work may wait for a turn of the loop.
        """
        door, name, arrival_only = self.door, method.name, method.arrival_only
        if door.full and not arrival_only:  # a full server spends its time on the calls it has
            metadata, peer, seconds_left = details
            refused = Call(name, Deadline.after(seconds_left), metadata, peer, len(request))
            refuse(self.front, call_id, door.refuse(refused))
            return
        call = NativeCall(name, self, call_id, details, len(request), arrival_only)
        try:
            if len(request) > self.max_request_bytes:
                door.arrive(call)
                call.fail_too_large(request, self.max_request_bytes)
                return
            work = door.begin(call, method, request, call)
        except Exception as error:  # noqa: BLE001 (the caller gets its status)
            call.set_exception(error)
            return
        if work is not None:
            call.run(work)

    def end(self, call: "NativeCall") -> bool:
        """Takes an open call out and lets it leave by the door. Returns False if it had ended."""
        if call.ended:
            return False
        call.ended = True
        del self[call.call_id]
        self.door.leave(call)
        if self._none is not None and not self:
            self._none.set()
        return True

    async def drain(self, seconds: float) -> None:
        """Returns when no call is open, or after `seconds`."""
        if self:
            self._none = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none.wait(), seconds)


class NativeCall(Call):
    """A call that is open until its response, its failure, or its caller's leaving."""

    __slots__ = ("_open", "call_id", "ended", "task")

    def __init__(  # noqa: PLR0917 (arguments by name cost time at every call)
        self,
        method: str,
        open_calls: OpenCalls,
        call_id: int,
        details: Details,
        byte_count: int,
        arrival_only: bool,  # noqa: FBT001
    ) -> None:
        metadata, peer, seconds_left = details
        deadline = NEVER if seconds_left is None else Deadline.after(seconds_left)
        super().__init__(method, deadline, metadata, peer, byte_count, arrival_only)
        self._open = open_calls
        self.call_id = call_id
        self.ended = False
        self.task: asyncio.Task[Any] | None = None
        open_calls[call_id] = self

    def done(self) -> bool:
        """Returns whether nobody waits for the response any more."""
        return self.ended

    def set_result(self, response: bytes, /) -> None:
        """Ends the call with a response, if that is not too large."""
        calls = self._open
        if len(response) > calls.max_response_bytes:
            self.fail_too_large(response, calls.max_response_bytes)
        elif calls.end(self):
            if self.request_id_sent:
                trailers = success_trailers(self)
                calls.front.respond(self.call_id, response, trailing_metadata=trailers)
            else:
                calls.front.respond(self.call_id, response)

    def set_exception(self, error: Exception, /) -> None:
        """Ends the call with the status of an error."""
        self.fail(self._open.door.fail(self, error))

    def fail(self, failure: Failure) -> None:
        """Ends the call with a status other than OK."""
        if self._open.end(self):
            refuse(self._open.front, self.call_id, failure)

    def fail_too_large(self, message: bytes, max_bytes: int) -> None:
        """Ends the call because of a message that is too large."""
        code = grpc.StatusCode.RESOURCE_EXHAUSTED
        details = f"a message has {len(message)} bytes; {max_bytes} is the limit"
        self.code = code.name
        self.fail(Failure(code, details, failure_trailers(self, NO_METADATA)))

    def run(self, work: Work) -> None:
        """Starts work that results in the response."""
        self.task = asyncio.get_running_loop().create_task(work)
        self.task.add_done_callback(self._worked)

    async def send(self, response: bytes) -> bool:
        """Sends one of several responses. Returns False where the caller has left."""
        front = self._open.front
        sent = front.stream_try_send(self.call_id, response)
        if sent == STREAM_FULL:  # a slow caller: room is waited for off the loop
            return await asyncio.to_thread(front.stream_send, self.call_id, response)
        return bool(sent != STREAM_CLOSED)

    def finish(self) -> None:
        """Ends a call of several responses with OK."""
        if self._open.end(self):
            trailers = list(success_trailers(self))
            self._open.front.stream_end(self.call_id, trailing_metadata=trailers)

    def leave(self) -> None:
        """Ends a call whose caller left, and stops its work."""
        self.code = "CANCELLED"
        if self._open.end(self) and self.task is not None:
            self.task.cancel()

    def _worked(self, task: "asyncio.Task[bytes]") -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            if self.ended:
                self._open.door.fail(self, error)  # the caller has left; the log has it
            else:
                self.set_exception(error)
        elif not self.ended:
            self.set_result(task.result())


def refuse(front: NativeGrpcFront, call_id: int, failure: Failure) -> None:
    """Ends a call of the front with a failure."""
    number: int = failure.code.value[0]
    front.fail(call_id, number, failure.details, trailing_metadata=list(failure.trailers))
