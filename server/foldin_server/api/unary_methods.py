"""The general way of a unary method: parse the request, call its handler, pack the answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from foldin_model.ids import UserId
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from foldin_server.admission.call import Call
from foldin_server.admission.method import Begin, Method, Reply, Work

Handler = Callable[[Any, Call], Awaitable[Message]]


def unary_methods(
    service: ServiceDescriptor, servicer: object, *, arrival_only: bool = False
) -> Mapping[str, Method]:
    """Returns the unary methods of a service by their paths; `servicer` has their handlers.

    A handler has the name of its method and takes the message and the call. It must weigh the call
    at the door before any work; a call that was not weighed fails, unless its service passes
    `arrival_only`.
    """
    return {
        f"/{service.full_name}/{method.name}": Method(
            method.name,
            _begin(method, getattr(servicer, method.name), arrival_only=arrival_only),
            arrival_only,
        )
        for method in service.methods
        if not (method.client_streaming or method.server_streaming)
    }


def _begin(method: MethodDescriptor, handler: Handler, *, arrival_only: bool) -> Begin:
    parse: Callable[[bytes], Any] = GetMessageClass(method.input_type).FromString
    pack: Callable[[Any], bytes] = GetMessageClass(method.output_type).SerializeToString
    names_user = "user_id" in method.input_type.fields_by_name

    async def work(message: Any, call: Call) -> bytes:
        response = await handler(message, call)
        if call.cost is None and not arrival_only:
            raise RuntimeError(f"the handler of {method.name} does not weigh its calls")
        return pack(response)

    def begin(request: bytes, call: Call, _: Reply) -> Work:
        message = parse(request)
        if names_user and message.user_id:
            call.user_id = UserId(message.user_id)
        return work(message, call)

    return begin
