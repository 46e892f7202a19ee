"""Calls of unary methods on the native front: each has its place and record from its arrival on.

What waits for the loop counts as in work, so that too many calls are refused before they wait.
"""

import asyncio
from dataclasses import dataclass

from grpc_status.rpc_status import to_status

from foldin_server.admission.calls import Calls
from foldin_server.transport.method_table import Begin
from foldin_server.transport.native_call import NativeCall


class TakenCall(NativeCall):
    """A call that is the reply too, and ends, whoever gives that. It has an owner."""

    __slots__ = ()

    owner: Calls

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return self.ended

    set_result = NativeCall.respond

    def set_exception(self, error: Exception, /) -> None:
        """Ends the call with the status of a failure."""
        status = to_status(self.owner.failed(self, error))
        self.fail(status.code, status.details, status.trailing_metadata)

    def worked(self, task: asyncio.Task[bytes]) -> None:
        """Ends the call as the work for it ended; of who has left a failure is only logged."""
        error = None if task.cancelled() else task.exception()
        if self.ended:
            if isinstance(error, Exception):
                self.owner.failed(self, error)
        elif isinstance(error, Exception):
            self.set_exception(error)
        else:
            self.set_result(task.result())


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes the calls of one unary method.

    `begin` is given the bytes of a request; the reply comes by itself, or is what the work that
    `begin` gives results in.
    """

    calls: Calls
    begin: Begin

    def take(self, request: bytes, call: TakenCall) -> None:
        """The call will be ended by its reply, a moment later or now."""
        try:
            self.calls.admit(call)
            work = self.begin(request, call)
        except Exception as error:  # noqa: BLE001 (it is the call's status)
            call.set_exception(error)
            return
        if work is not None:
            call.task = task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(call.worked)
