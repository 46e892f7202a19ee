"""How services are added to a server: their methods take the bytes of a request and read them.

A server that reads requests itself answers what is no message of the method in words of its own,
before anything of ours knows of the call.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio

from foldin_server.admission.calls import Call, Calls, Handler, recorded
from foldin_server.transport.method_table import Begin, take_method


def add_service(
    server: aio.Server, service: ServiceDescriptor, servicer: object, calls: Calls
) -> None:
    """The server answers the methods of `service`, none with a stream of requests, by `servicer`.

    A request that cannot be read ends its call as every failure of `calls` does.
    """
    handlers = {}
    for method in service.methods:
        answer = getattr(servicer, method.name)
        handlers[method.name] = _handler(method, answer, calls)
        if (handler := recorded(answer)) is not None:
            path = f"/{service.full_name}/{method.name}"
            take_method(server, path, calls, _begin(method, handler))
    server.add_registered_method_handlers(service.full_name, handlers)


def _handler(
    method: MethodDescriptor, answer: Any, calls: Calls
) -> "grpc.RpcMethodHandler[Any, Any]":
    decode, encode = _codec(method)

    async def read(request: bytes, context: Any) -> Message:
        try:
            return decode(request)
        except DecodeError as error:
            return await calls.answer(method.name, partial(_fail, error), context)

    async def one(request: bytes, context: Any) -> Any:
        return await answer(await read(request, context), context)

    async def many(request: bytes, context: Any) -> AsyncIterator[Any]:
        message = await read(request, context)
        async with aclosing(answer(message, context)) as responses:
            async for response in responses:
                yield response

    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(many, response_serializer=encode)
    return grpc.unary_unary_rpc_method_handler(one, response_serializer=encode)


def _begin(method: MethodDescriptor, handler: Handler) -> Begin:
    decode, encode = _codec(method)

    async def work(message: Message, call: Call) -> bytes:
        return encode(await handler(message, call))

    return lambda request, taken: work(decode(request), taken)


def _codec(method: MethodDescriptor) -> tuple[Callable[[bytes], Message], Callable[[Any], bytes]]:
    decode = GetMessageClass(method.input_type).FromString
    return decode, GetMessageClass(method.output_type).SerializeToString


async def _fail(error: Exception, _: Call) -> NoReturn:
    raise error
