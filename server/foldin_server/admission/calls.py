"""What every RPC has in common: a place among the calls in flight, a record, an error's status.

A handler below this line parses, calls and renders; it raises FoldinError and knows no context.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import grpc
from foldin.v1.ratings_pb2 import ServingInfo
from foldin_model.errors import FoldinError, Overloaded
from foldin_model.ids import Version
from foldin_model.trained.trained_users import Personalization
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from grpc.aio import ServicerContext
from grpc_status.rpc_status import to_status

from foldin_server.admission.statuses import internal_status, status_of, unreadable_status
from foldin_server.runtime.deadline import NEVER, Deadline
from foldin_server.runtime.metrics import Metrics
from foldin_server.runtime.telemetry import CallRecord, Telemetry

log = logging.getLogger(__name__)
_NAMES: Final = {kind: kind.name.lower() for kind in Personalization}
Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(slots=True)
class Call(CallRecord):
    """The record of a call, and how long it may still take."""

    deadline: Deadline = field(default=NEVER, kw_only=True)
    admitted: bool = field(default=False, init=False)

    def told(self, info: ServingInfo) -> None:
        """Notes what the caller is told about how the answer was made."""
        self.model_version = info.model_version
        self.degraded = info.degraded
        if info.personalization:
            self.personalization = _NAMES[Personalization(info.personalization)]

    def answered(
        self, version: Version, personalization: Personalization, *, degraded: bool = False
    ) -> None:
        """Notes how an answer for a user was made."""
        self.model_version = version
        self.personalization = _NAMES[personalization]
        self.degraded = degraded


class Calls:
    """Admits at most `max_in_flight` calls at a time and sees each of them to its end."""

    def __init__(self, metrics: Metrics, telemetry: Telemetry, max_in_flight: int) -> None:
        self._telemetry = telemetry
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._refusal = to_status(status_of(self._overloaded()))
        metrics.in_flight.set_function(lambda: self._in_flight)

    async def answer(
        self,
        method: str,
        work: Callable[[Call], Awaitable[Response]],
        context: "ServicerContext[Any, Response]",
    ) -> Response:
        """The response of `work`; a failure ends the call with its status."""
        call = Call(method, deadline=Deadline.after(context.time_remaining()))
        try:
            self.admit(call)
            return await work(call)
        except asyncio.CancelledError:
            call.code = "CANCELLED"
            raise
        except Exception as error:  # noqa: BLE001 (the caller gets its status)
            status = self.failed(call, error)
        finally:
            self.ended(call)
        return await context.abort_with_status(to_status(status))  # it raises

    def admit(self, call: Call) -> None:
        """Gives the call a place among those in flight. Raises Overloaded where there is none."""
        if self.full:
            raise self._overloaded()
        self._in_flight += 1
        call.admitted = True

    @property
    def full(self) -> bool:
        """Whether there is no place for one more call."""
        return self._in_flight >= self._max_in_flight

    def refused(self, method: str) -> grpc.Status:
        """Tells of a call for which there is no place, and gives the status that it ends with."""
        self._telemetry.ended(CallRecord(method, Overloaded.code, Overloaded.reason))
        return self._refusal

    def _overloaded(self) -> Overloaded:
        return Overloaded(f"{self._max_in_flight} calls are in work, the limit; try again soon")

    def failed(self, call: Call, error: Exception) -> Status:
        """The status that the call ends with, which its record knows from now on."""
        if isinstance(error, FoldinError):
            call.code, call.reason = error.code, error.reason
            return status_of(error)
        if isinstance(error, DecodeError):
            call.code = call.reason = "INTERNAL"
            return unreadable_status()
        call.code = call.reason = "INTERNAL"
        log.error("failure", extra={"method": call.method}, exc_info=error)
        return internal_status()

    def ended(self, call: Call) -> None:
        """Frees the place of the call and tells of it."""
        if call.admitted:
            self._in_flight -= 1
        self._telemetry.ended(call)


async def entry_status(work: Awaitable[Response], method: str) -> Response | Status:
    """The response of one entry of a batch, or the status that it would have ended a call with."""
    try:
        return await work
    except FoldinError as error:
        return status_of(error)
    except Exception:
        log.exception("failure", extra={"method": method})
        return internal_status()


Handler = Callable[[Any, Call], Awaitable[Any]]


class HasCalls(Protocol):
    """A servicer whose handlers run under `Calls`."""

    @property
    def calls(self) -> Calls: ...


Servicer = TypeVar("Servicer", bound=HasCalls)


def rpc(
    handler: Callable[[Servicer, Request, Call], Awaitable[Response]],
) -> Callable[[Servicer, Request, Any], Awaitable[Response]]:
    """Makes a servicer's method of a handler that takes a Call instead of a context."""
    method = handler.__name__

    @functools.wraps(handler)
    async def answer(self: Servicer, request: Request, context: Any) -> Response:
        return await self.calls.answer(method, lambda call: handler(self, request, call), context)

    return answer


def recorded(answer: Any) -> Handler | None:
    """The handler of a servicer's method that `rpc` made, None of another method."""
    handler = getattr(answer, "__wrapped__", None)
    return None if handler is None else functools.partial(handler, answer.__self__)
