"""The one door: every unary call of every transport passes it twice on its way in.

At its arrival, before the request is parsed, the steps see method, metadata, peer, deadline and
byte count. When it is weighed, after parsing and before any work, they see what the request costs
and which users it names. Handlers behind the door raise FoldinError and know no transport.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import grpc
from foldin_model.errors import FoldinError, Overloaded
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from grpc_status.rpc_status import to_status

from foldin_server.admission.call import Call, Metadata
from foldin_server.admission.call_log import CallLog
from foldin_server.admission.method import Method, Reply, Work
from foldin_server.admission.places import Places
from foldin_server.admission.request_ids import RequestIds, failure_trailers, request_id
from foldin_server.admission.statuses import internal_status, status_of, unreadable_status
from foldin_server.admission.step import Step

log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """How a call ends that failed."""

    code: grpc.StatusCode
    details: str
    trailers: Metadata


class Door:
    """Runs its steps for every call, in this order on the way in and in reverse on the way out.

    The request id comes first, then `further` steps (such as identity and quota), the place among
    the calls in flight, and the record. Every step sees the end of every call, also of one that an
    earlier step refused.
    """

    def __init__(self, places: Places, call_log: CallLog, *further: Step) -> None:
        self._places = places
        before_place = (RequestIds(), *further)
        steps = (*before_place, places, call_log)
        self._arrive_before_place = _overridden(before_place, "arrive")
        self._arrive = _overridden(steps, "arrive")
        self._weigh = _overridden(steps, "weigh")
        self._leave = _overridden(steps[::-1], "leave")
        self._full = to_status(status_of(places.overloaded()))

    def begin(self, call: Call, method: Method, request: bytes, reply: Reply) -> Work | None:
        """Lets a call in and begins it (see `Begin`). Raises the error that ends the call."""
        for arrive in self._arrive:
            arrive(call)
        return method.begin(request, call, reply)

    def arrive(self, call: Call) -> None:
        """Lets a call arrive that does not begin yet, or a stream, which passes arrival alone.

        Raises the error that ends the call.
        """
        for arrive in self._arrive:
            arrive(call)

    def weigh(self, call: Call, cost: int = 1, user_ids: Sequence[str] = ()) -> None:
        """Lets a parsed call go on to its work. Raises the error that ends the call.

        Its cost is counted in single calls; `user_ids` are all users that the request names.
        """
        call.cost = cost
        for weigh in self._weigh:
            weigh(call, user_ids)

    def fail(self, call: Call, error: Exception) -> Failure:
        """Notes the failure of a call and returns how the call ends."""
        return _failure(call, to_status(_noted(call, error)))

    def leave(self, call: Call) -> None:
        """Ends a call, however it went: its place is free, and its record is made.

        A step that fails here is logged; it keeps no other step, and no caller, from the end.
        """
        for leave in self._leave:
            try:
                leave(call)
            except Exception:
                log.exception("leave_failed", extra={"method": call.method})

    @property
    def full(self) -> bool:
        """Whether the next call would find no place."""
        return self._places.taken >= self._places.count

    def refuse(self, call: Call) -> Failure:
        """Refuses a call of a full server: it arrives and leaves, with a status made beforehand."""
        try:
            for arrive in self._arrive_before_place:
                arrive(call)
        except Exception as error:  # noqa: BLE001 (the caller gets its status)
            failure = self.fail(call, error)
        else:
            call.code, call.reason = Overloaded.code, Overloaded.reason
            failure = _failure(call, self._full)
        self.leave(call)
        return failure


def _failure(call: Call, status: grpc.Status) -> Failure:
    trailers = failure_trailers(call, status.trailing_metadata)
    return Failure(status.code, status.details, trailers)


def _noted(call: Call, error: Exception) -> Status:
    if isinstance(error, FoldinError):
        call.code, call.reason = error.code, error.reason
        return status_of(error)
    call.code = call.reason = "INTERNAL"
    if isinstance(error, DecodeError):
        return unreadable_status()
    log.error(
        "failure",
        extra={"method": call.method, "request_id": request_id(call)},
        exc_info=error,
    )
    return internal_status()


def _overridden(steps: Sequence[Step], name: str) -> tuple[Callable[..., Any], ...]:
    """Returns the methods of that name of the steps that have one of their own."""
    return tuple(
        getattr(step, name)
        for step in steps
        if getattr(type(step), name) is not getattr(Step, name)
    )
