"""Errors as gRPC statuses with the rich details of google.rpc: the one place that maps them.

Code, reason and retry time are those of the classes of `foldin_model.errors`. A status travels in
trailers, of which callers accept 8 KiB, so its texts are short.
"""

from functools import lru_cache
from typing import Final

from foldin_model.errors import FoldinError, InvalidField, NotFound
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from foldin_server.quotation import abridged

DOMAIN: Final = "foldin.v1"
MOST_MESSAGE_BYTES: Final = 1_200  # each may take three where it is percent-encoded


def status_of(error: FoldinError) -> Status:
    """Returns the status for the caller, with ErrorInfo and the other details of the error."""
    message = abridged(str(error), MOST_MESSAGE_BYTES)
    status = _plain(error.code, error.reason, message, error.retry_after_ms)
    if isinstance(error, InvalidField):
        return _with(status, _bad_request(error))
    if isinstance(error, NotFound):
        resource = ResourceInfo(resource_type=error.resource_type, resource_name=error.name)
        return _with(status, resource)
    return status


@lru_cache(64)  # refusing calls must cost a full server little
def _plain(code: str, reason: str, message: str, retry_after_ms: int | None) -> Status:
    details: list[Message] = [ErrorInfo(domain=DOMAIN, reason=reason)]
    if retry_after_ms is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(retry_after_ms)
        details.append(retry)
    return Status(code=Code.Value(code), message=message, details=_packed(details))


def _with(status: Status, detail: Message) -> Status:
    made = Status()
    made.CopyFrom(status)
    made.details.extend(_packed([detail]))
    return made


def internal_status() -> Status:
    """Returns the status of an unexpected failure; it reveals nothing of the inside."""
    return _internal("the server failed; its log says why")


def unreadable_status() -> Status:
    """Returns the status of a request that cannot be decoded; gRPC has this code for it."""
    return _internal("the request is no message of its method")


def _internal(message: str) -> Status:
    info = ErrorInfo(domain=DOMAIN, reason="INTERNAL")
    return Status(code=Code.INTERNAL, message=message, details=_packed([info]))


def _bad_request(error: InvalidField) -> BadRequest:
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(
                field=violation.field, description=violation.description, reason=error.reason
            )
            for violation in error.violations
        ]
    )


def _packed(details: list[Message]) -> list[Any]:
    packed = []
    for detail in details:
        wrapped = Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    return packed
