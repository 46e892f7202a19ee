"""How calls of Recommend come in: as bytes, and on the native front without a task of their own."""

import asyncio
from collections.abc import Coroutine
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
    if (take := getattr(server, "take", None)) is not None:
        take(f"/{SERVICE}/{METHOD}", Taker(recommendations).take)


class TakenCall(Call):
    """A call that no task waits for: it is the reply too, and ends, whoever gives that."""

    __slots__ = ("_calls", "_native")

    def __init__(self, calls: Calls, native: "NativeCall") -> None:
        super().__init__(METHOD, deadline=native.deadline)
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

    def _left(self) -> None:
        self.code = "CANCELLED"
        self._calls.ended(self)


class Taker:
    """Takes calls of Recommend from the native front."""

    def __init__(self, recommendations: Recommendations) -> None:
        self._recommendations = recommendations

    def take(self, request: bytes, native: "NativeCall") -> None:
        """The call will be ended by its reply, a moment later or now."""
        calls = self._recommendations.calls
        taken = TakenCall(calls, native)
        try:
            calls.admit(taken)
            work = self._recommendations.begin(request, taken, taken)
        except Exception as error:  # noqa: BLE001 (it is the call's status)
            taken.set_exception(error)
            return
        if work is not None:
            native.task = asyncio.create_task(_reply(taken, work))


async def _reply(taken: TakenCall, work: Coroutine[object, object, bytes]) -> None:
    try:
        taken.set_result(await work)
    except Exception as error:  # noqa: BLE001 (it is the call's status)
        taken.set_exception(error)
