"""Streams (health's Watch, reflection) as `grpc.aio` handlers: their calls pass arrival alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.admission.request_ids import success_trailers
from foldin_server.runtime.deadline import Deadline


def through_door(door: Door, name: str, handler: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    """Returns the handler of a stream to callers, behind the door.

    One request is read here, so that an unreadable one ends its call like that of any method.
    """
    respond = handler.stream_stream if handler.request_streaming else handler.unary_stream
    decode = None if handler.request_streaming else handler.request_deserializer

    async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
        call = call_of(name, context, 0, arrival_only=True)
        try:
            door.arrive(call)
            message = request if decode is None else decode(request)
            if call.request_id_sent:
                context.set_trailing_metadata(success_trailers(call))
            async with aclosing(respond(message, context)) as responses:
                async for response in responses:
                    yield response
        except (asyncio.CancelledError, GeneratorExit):
            call.code = "CANCELLED"
            raise
        except Exception as error:  # noqa: BLE001 (the caller gets its status)
            await context.abort(*door.fail(call, error))  # it raises
        finally:
            door.leave(call)

    encode = handler.response_serializer
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(
            answer, request_deserializer=handler.request_deserializer, response_serializer=encode
        )
    return grpc.unary_stream_rpc_method_handler(answer, response_serializer=encode)


def call_of(name: str, context: Any, byte_count: int, *, arrival_only: bool) -> Call:
    """Returns the call of a `grpc.aio` context."""
    return Call(
        name,
        Deadline.after(context.time_remaining()),
        context.invocation_metadata() or (),
        context.peer(),
        byte_count,
        arrival_only,
    )
