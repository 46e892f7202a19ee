"""How calls come in on the native front: each has its place and its record from its arrival on.

What waits for the loop counts as in work, so that too many calls are refused before they wait.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import grpc
from foldin.v1 import recommendation_pb2
from grpc import aio
from grpc_status.rpc_status import to_status

from foldin_server.calls import Call, Calls
from foldin_server.recommendation_service import Recommendations

if TYPE_CHECKING:
    from foldin_server.native_calls import NativeCall

METHOD: Final = "Recommend"
SERVICE: Final = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"].full_name


def add_recommend(recommendations: Recommendations, server: aio.Server) -> None:
    """From now on `recommendations` gets the bytes of Recommend's requests and answers bytes."""
    handler: Any = grpc.unary_unary_rpc_method_handler(recommendations.Recommend)
    server.add_registered_method_handlers(SERVICE, {METHOD: handler})

    def begin(request: bytes, taken: TakenCall) -> Coroutine[object, object, bytes] | None:
        return recommendations.begin(request, taken, taken)

    take_method(server, SERVICE, Taker(recommendations.calls, METHOD, begin))


def take_method(server: aio.Server, service: str, taker: "Taker") -> None:
    """From now on `taker` gets the calls of its method, if the server is on the native front."""
    if (take := getattr(server, "take", None)) is not None:
        take(f"/{service}/{taker.method}", taker.take)


class TakenCall(Call):
    """A call of the native front: it is the reply too, and ends, whoever gives that."""

    __slots__ = ("_calls", "_native")

    def __init__(self, calls: Calls, method: str, native: "NativeCall") -> None:
        super().__init__(method, deadline=native.deadline)
        self._calls = calls
        self._native = native
        native.left = self._left

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return self._native.ended

    def set_result(self, response: bytes, /) -> None:
        """Ends the call well."""
        self._native.respond(response)
        self._calls.ended(self)

    def set_exception(self, error: Exception, /) -> None:
        """Ends the call with the status of a failure."""
        status = to_status(self._calls.failed(self, error))
        self._native.fail(status.code.value[0], status.details, status.trailing_metadata)
        self._calls.ended(self)

    def worked(self, task: "asyncio.Task[bytes]") -> None:
        """Ends the call as the work for it ended; of who has left a failure is only logged."""
        error = None if task.cancelled() else task.exception()
        if self.done():
            if isinstance(error, Exception):
                self._calls.failed(self, error)
        elif isinstance(error, Exception):
            self.set_exception(error)
        else:
            self.set_result(task.result())

    def _left(self) -> None:
        self.code = "CANCELLED"
        self._calls.ended(self)


Begin = Callable[[bytes, TakenCall], Coroutine[object, object, bytes] | None]


class Taker:
    """Takes the calls of one unary method from the native front.

    `begin` is given the bytes of a request; the reply comes by itself, or is what the work that
    `begin` gives results in.
    """

    def __init__(self, calls: Calls, method: str, begin: Begin) -> None:
        self.method = method
        self._calls = calls
        self._begin = begin

    def take(self, request: bytes, native: "NativeCall") -> None:
        """The call will be ended by its reply, a moment later or now."""
        taken = TakenCall(self._calls, self.method, native)
        try:
            self._calls.admit(taken)
            work = self._begin(request, taken)
        except Exception as error:  # noqa: BLE001 (it is the call's status)
            taken.set_exception(error)
            return
        if work is not None:
            native.task = task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(taken.worked)
