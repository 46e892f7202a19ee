"""A gRPC server on pygrpc-native's low-level front, where calls arrive in batches.

It takes the services that a `grpc.aio` server takes. A method may be answered without a task of its
own (`take`); what the front cannot do, streams from callers, a `grpc.aio` server behind it does.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple, NoReturn

import grpc
from grpc import aio
from pygrpc_native import EVENT_CANCEL, NativeGrpcFront

from foldin_server.admission.calls import Calls
from foldin_server.transport.method_table import Begin
from foldin_server.transport.native_call import Aborted, NativeCall, OpenCalls
from foldin_server.transport.taken_call import TakenCall, Taker

MOST_EVENTS: Final = 256
SENDING_S: Final = 0.2
Options = Sequence[tuple[str, int]]
log = logging.getLogger(__name__)


class Method(NamedTuple):
    """What the calls of a method are, whose they are, and what begins the work for them."""

    name: str
    call: type[NativeCall]
    owner: Calls | None
    begin: Callable[[bytes, Any], None]


class NativeServer(aio.Server):
    """One server on one port without TLS, its handlers on the loop that starts it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._handlers: dict[str, Any] = {}
        self._taken: dict[str, Taker] = {}
        self._methods: list[Method] = []
        self._front: NativeGrpcFront
        self._calls: OpenCalls
        self._behind: aio.Server | None = None
        self._socket_dir = ""
        self._stopping = False

    def add_insecure_port(self, address: str) -> int:
        """Binds `address` and gives its port. Raises RuntimeError where it cannot."""
        options = dict(self._options)
        try:
            self._front = NativeGrpcFront(
                address,
                [],
                call_details=True,
                delay_stream_headers=True,
                keepalive_time_ms=options["grpc.keepalive_time_ms"],
                keepalive_timeout_ms=options["grpc.keepalive_timeout_ms"],
                io_threads=1,
                reuse_port=bool(options["grpc.so_reuseport"]),
            )
        except OSError as error:
            raise RuntimeError(f"cannot bind {address}") from error
        self._calls = OpenCalls(
            self._front,
            most_request_bytes=options["grpc.max_receive_message_length"],
            most_response_bytes=options["grpc.max_send_message_length"],
        )
        return int(self._front.bound_port)

    def add_secure_port(self, address: str, server_credentials: object) -> NoReturn:
        raise NotImplementedError(f"{address}: the native transport has no TLS")

    def add_generic_rpc_handlers(self, generic_rpc_handlers: object) -> None:
        """Nothing: generated code adds the same methods by name as well."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Any]
    ) -> None:
        """The methods of a service, from the start on."""
        for name, handler in method_handlers.items():
            self._handlers[f"/{service_name}/{name}"] = handler

    def take(self, path: str, calls: Calls, begin: Begin) -> None:
        """Calls of the unary method belong to `calls` and go to `begin` with their bytes."""
        self._taken[path] = Taker(calls, begin)

    async def start(self) -> None:
        """Takes calls from now on."""
        here = {path: each for path, each in self._handlers.items() if not each.request_streaming}
        if len(here) < len(self._handlers):
            await self._start_behind()
        self._front.add_methods([(path, each.response_streaming) for path, each in here.items()])
        self._methods = [self._method(path, handler) for path, handler in here.items()]
        self._front.start()
        loop = asyncio.get_running_loop()
        Thread(target=self._receive, args=(loop,), name="front", daemon=True).start()

    async def stop(self, grace: float | None) -> None:
        """Takes no more calls and gives those in work `grace` seconds to end."""
        self._stopping = True
        behind = None if self._behind is None else asyncio.create_task(self._behind.stop(grace))
        await self._calls.drain(grace or 0.0)
        # Closing the front hangs up at once, and nothing tells when the last answers have left:
        # those to calls that ended a moment before the stop too.
        await asyncio.sleep(SENDING_S)
        late = list(self._calls.values())
        for call in late:
            call.leave()
        tasks = (call.task for call in late if call.task is not None)
        await asyncio.gather(*tasks, return_exceptions=True)
        if behind is not None:
            await behind
        await asyncio.to_thread(self._front.close)
        if self._socket_dir:
            shutil.rmtree(self._socket_dir, ignore_errors=True)

    async def wait_for_termination(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 (the name is grpcio's)
    ) -> NoReturn:
        raise NotImplementedError("whoever stops the server knows when it has stopped")

    async def _start_behind(self) -> None:
        self._socket_dir = tempfile.mkdtemp(prefix="foldin-")
        path = str(Path(self._socket_dir) / "behind.sock")
        self._behind = aio.server(options=self._options)
        for method, handler in self._handlers.items():
            if handler.request_streaming:
                _, service, name = method.split("/")
                self._behind.add_registered_method_handlers(service, {name: handler})
        self._behind.add_insecure_port(f"unix:{path}")
        await self._behind.start()
        self._front.set_fallback(path)

    def _method(self, path: str, handler: Any) -> Method:
        name = path.rpartition("/")[2]
        if (taker := self._taken.get(path)) is not None:
            return Method(name, TakenCall, taker.calls, taker.take)
        return Method(name, NativeCall, None, partial(_begin, handler))

    def _receive(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hands what arrives to the loop, in a thread, until the front is closed."""
        while (events := self._front.recv_batch_details(MOST_EVENTS)) is not None:
            try:
                loop.call_soon_threadsafe(self._arrived, events)
            except RuntimeError:  # the loop was closed before the server was stopped
                self._front.close()
                return

    def _arrived(self, events: Sequence[tuple[Any, ...]]) -> None:
        calls, most_bytes = self._calls, self._calls.most_request_bytes
        for kind, call_id, method_id, request, _, details in events:
            if kind == EVENT_CANCEL:
                if (left := calls.get(call_id)) is not None:
                    left.leave()
                continue
            name, call_type, owner, begin = self._methods[method_id]
            if self._stopping:  # nothing of ours is told of the call, as on grpcio
                late = NativeCall(name, calls, call_id, None)
                late.fail(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
                continue
            if owner is not None and owner.full:
                self._refuse(call_id, owner.refused(name))
                continue
            call = call_type(name, calls, call_id, details[2], owner)
            if len(request) > most_bytes:
                call.fail_too_large(request, most_bytes)
            else:
                begin(request, call)

    def _refuse(self, call_id: int, status: grpc.Status) -> None:
        # A full server makes nothing of a call, so that its time goes to those it has.
        number: int = status.code.value[0]
        metadata = list(status.trailing_metadata)
        self._front.fail(call_id, number, status.details, trailing_metadata=metadata)


def _begin(handler: Any, request: bytes, call: NativeCall) -> None:
    call.task = asyncio.get_running_loop().create_task(_run(call, handler, request))


async def _run(call: NativeCall, handler: Any, request: bytes) -> None:
    """Answers a call by its handler, however that ends."""
    try:
        decode = handler.request_deserializer
        message = request if decode is None else decode(request)
        if handler.response_streaming:
            await _stream(call, handler, message)
        else:
            response = await handler.unary_unary(message, call)
            call.respond(handler.response_serializer(response))
    except Aborted as aborted:
        call.fail(aborted.code, aborted.details, aborted.trailing)
    except Exception as error:
        log.exception("failure")
        call.fail(grpc.StatusCode.UNKNOWN, f"unexpected {type(error).__name__}")


async def _stream(call: NativeCall, handler: Any, message: Any) -> None:
    responses = handler.unary_stream(message, call)
    try:
        async for response in responses:
            if not await call.send(handler.response_serializer(response)):
                return
    finally:
        await responses.aclose()
    call.finish()
