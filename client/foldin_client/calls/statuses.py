"""The error of `foldin_client.errors` that a gRPC status with its details stands for.

Pure functions, for the status of a whole call and for that of one entry of a batch.
"""

from collections.abc import Iterator

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from foldin_client import errors
from foldin_client.errors import Details, FoldinError, Violation

DOMAIN = "foldin.v1"
DETAILS_KEY = "grpc-status-details-bin"

_CODES: dict[int, str] = {code.value[0]: code.name for code in grpc.StatusCode}


def _leaves(kind: type[FoldinError]) -> Iterator[type[FoldinError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _leaves(child)


_BY_REASON = {kind.reason: kind for kind in _leaves(FoldinError)}
_OWN_BY_CODE: dict[str, type[FoldinError]] = {
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
    "UNAVAILABLE": errors.Unreachable,
}


def error_of_call(failed: grpc.RpcError, path: str, timeout_s: float) -> FoldinError:
    """Returns the error of a failed call of `path`, raised by grpc or by grpc.aio."""
    if not isinstance(failed, grpc.Call | grpc.aio.AioRpcError):
        return FoldinError(str(failed))
    code = failed.code()
    for key, value in failed.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return error_of_status(Status.FromString(value))
            except DecodeError:
                break  # a trailer of another program; code and message are used instead
    message = failed.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:  # grpc's own message says no more
        method = path.rpartition("/")[2]
        message = f"no answer to {method} within {timeout_s:g} s; the server or its store hangs"
    return error_of_status(Status(code=code.value[0], message=message))


def error_of_status(status: Status) -> FoldinError:
    """Returns the error for a status: by its reason, else by its code."""
    info, details = _unpack(status)
    code = _CODES.get(status.code, "UNKNOWN")
    kind = _BY_REASON.get(info.reason) if info.domain == DOMAIN else _OWN_BY_CODE.get(code)
    error = (kind or FoldinError)(status.message, details)
    if kind is None:
        error.code = code
        error.reason = info.reason or code
    return error


def _unpack(status: Status) -> tuple[ErrorInfo, Details]:
    info, bad, resource, retry = ErrorInfo(), BadRequest(), ResourceInfo(), RetryInfo()
    for detail in status.details:
        for message in (info, bad, resource, retry):
            detail.Unpack(message)
    return info, Details(
        metadata=dict(info.metadata),
        violations=tuple(Violation(v.field, v.description) for v in bad.field_violations),
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
        retry_after_ms=retry.retry_delay.ToMilliseconds()
        if retry.HasField("retry_delay")
        else None,
    )
