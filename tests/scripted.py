"""A real gRPC server with scripted answers, for tests of the client."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from click.testing import Result
from foldin.v1 import catalog_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

Run = Callable[..., Result]


@dataclass
class Scripted:
    """Answers each method with the queued answers, and then with the last one again."""

    address: str = ""
    answers: dict[str, deque[Message | Status]] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)

    def script(self, method: str, *answers: Message | Status) -> None:
        self.answers[method] = deque(answers)

    def sent(self, method: str) -> list[bytes]:
        return [data for name, data in self.requests if name == method]


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = handler_call_details.method.rpartition("/")[2]
        metadata = dict(handler_call_details.invocation_metadata or ())

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self._scripted.requests.append((method, request))
            self._scripted.metadata.append(metadata)
            queue = self._scripted.answers.get(method)
            if queue is None:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not scripted")
            message = queue.popleft() if len(queue) > 1 else queue[0]
            if isinstance(message, Status):
                context.abort_with_status(rpc_status.to_status(message))
            return message.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def scripted_server(credentials: grpc.ServerCredentials | None = None) -> Iterator[Scripted]:
    scripted = Scripted()
    server = grpc.server(ThreadPoolExecutor(4), handlers=[_Handler(scripted)])
    port = (
        server.add_insecure_port("127.0.0.1:0")
        if credentials is None
        else server.add_secure_port("127.0.0.1:0", credentials)
    )
    scripted.address = f"127.0.0.1:{port}"
    server.start()
    try:
        yield scripted
    finally:
        server.stop(None).wait()


def status(
    code: grpc.StatusCode,
    message: str,
    reason: str = "",
    *details: Message,
    domain: str = "foldin.v1",
) -> Status:
    packed = [AnyMessage() for _ in details]
    for target, detail in zip(packed, details, strict=True):
        target.Pack(detail)
    if reason:
        info = AnyMessage()
        info.Pack(ErrorInfo(reason=reason, domain=domain, metadata={"limit": "5"}))
        packed.insert(0, info)
    return Status(code=code.value[0], message=message, details=packed)


def unavailable(reason: str = "STORE_UNAVAILABLE") -> Status:
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(1_000)
    return status(grpc.StatusCode.UNAVAILABLE, "the store does not answer", reason, retry)


def invalid(*fields: str) -> Status:
    bad = BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=field, description="is out of range")
            for field in fields
        ]
    )
    return status(grpc.StatusCode.INVALID_ARGUMENT, "value: is out of range", "INVALID_FIELD", bad)


def item_not_found(name: str) -> Status:
    resource = ResourceInfo(resource_type="foldin.v1.Item", resource_name=name)
    return status(grpc.StatusCode.NOT_FOUND, f"no item {name!r}", "ITEM_NOT_FOUND", resource)


def listed(server: "Scripted", *items: catalog_pb2.Item) -> None:
    """Makes GetItem find nothing and ListItems find these titles."""
    server.script("GetItem", item_not_found("?"))
    answer = catalog_pb2.ListItemsResponse(items=items, total_size=len(items))
    server.script("ListItems", answer)
