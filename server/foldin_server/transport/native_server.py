"""A gRPC server on pygrpc-native's low-level front, where calls arrive in batches.

Unary calls pass the door without a task of their own. Streams to callers run as tasks. Streams
from callers, which the front does not know, go to a `grpc.aio` server behind it.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from threading import Thread
from typing import Any, Final

import grpc
from grpc import aio
from pygrpc_native import EVENT_CANCEL, NativeGrpcFront

from foldin_server.admission.call import NO_METADATA, Call, Metadata
from foldin_server.admission.door import Door, Failure
from foldin_server.admission.method import Method
from foldin_server.admission.request_ids import RequestIds, failure_trailers
from foldin_server.transport.native_call import Details, NativeCall, OpenCalls, refuse
from foldin_server.transport.streams import through_door

MAX_EVENTS: Final = 256
SENDING_S: Final = 0.2
Options = Sequence[tuple[str, int]]
log = logging.getLogger(__name__)


class NativeServer:
    """One server on one port without TLS, its handlers on the loop that starts it."""

    def __init__(self, options: Options, door: Door) -> None:
        self._options = options
        self._door = door
        self._unary: dict[str, Method] = {}
        self._streams: dict[str, Any] = {}
        self._by_id: list[Method | tuple[str, Any]] = []
        self._front: NativeGrpcFront
        self._calls: OpenCalls
        self._behind: aio.Server | None = None
        self._socket_dir = ""
        self._stopping = False

    def add_insecure_port(self, address: str) -> int:
        """Binds `address` and returns its port. Raises RuntimeError where it cannot."""
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
            self._door,
            max_request_bytes=options["grpc.max_receive_message_length"],
            max_response_bytes=options["grpc.max_send_message_length"],
        )
        return int(self._front.bound_port)

    def add_unary_methods(self, methods: Mapping[str, Method]) -> None:
        """Adds unary methods by their paths, before the start."""
        self._unary.update(methods)

    def add_streams(self, streams: Mapping[str, Any]) -> None:
        """Adds the handlers of streams by their paths, before the start."""
        self._streams.update(streams)

    async def start(self) -> None:
        """Takes calls from now on."""
        here = {path: each for path, each in self._streams.items() if not each.request_streaming}
        if len(here) < len(self._streams):
            await self._start_behind()
        self._front.add_methods(
            [*((path, False) for path in self._unary), *((path, True) for path in here)]
        )
        streams = ((path.rpartition("/")[2], handler) for path, handler in here.items())
        self._by_id = [*self._unary.values(), *streams]
        self._front.start()
        loop = asyncio.get_running_loop()
        Thread(target=self._receive, args=(loop,), name="front", daemon=True).start()

    async def stop(self, grace: float | None) -> None:
        """Takes no more calls and gives those in work `grace` seconds to end."""
        self._stopping = True
        behind = None if self._behind is None else asyncio.create_task(self._behind.stop(grace))
        await self._calls.drain(grace or 0.0)
        # Closing the front hangs up at once, and nothing reports when the last responses have been
        # sent, also those of calls that ended a moment before the stop.
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

    async def _start_behind(self) -> None:
        self._socket_dir = tempfile.mkdtemp(prefix="foldin-")
        path = str(Path(self._socket_dir) / "behind.sock")
        self._behind = aio.server(options=self._options)
        for method, handler in self._streams.items():
            if handler.request_streaming:
                _, service, name = method.split("/")
                passing = {name: through_door(self._door, name, handler)}
                self._behind.add_registered_method_handlers(service, passing)
        self._behind.add_insecure_port(f"unix:{path}")
        await self._behind.start()
        self._front.set_fallback(path)

    def _receive(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hands arriving calls to the loop, in a thread, until the front is closed."""
        while (events := self._front.recv_batch_details(MAX_EVENTS)) is not None:
            try:
                loop.call_soon_threadsafe(self._arrived, events)
            except RuntimeError:  # the loop was closed before the server was stopped
                self._front.close()
                return

    def _arrived(self, events: Sequence[tuple[Any, ...]]) -> None:
        calls = self._calls
        for kind, call_id, method_id, request, _, details in events:
            if kind == EVENT_CANCEL:
                if (left := calls.get(call_id)) is not None:
                    left.leave()
            elif self._stopping:  # neither counted nor logged, as on grpcio
                refuse(self._front, call_id, _stopping(details[0]))
            elif isinstance(method := self._by_id[method_id], Method):
                calls.begin(method, call_id, request, details)
            else:
                name, handler = method
                self._begin_stream(name, handler, call_id, request, details)

    def _begin_stream(
        self, name: str, handler: Any, call_id: int, request: bytes, details: Details
    ) -> None:
        call = NativeCall(name, self._calls, call_id, details, len(request), True)  # noqa: FBT003
        call.task = asyncio.get_running_loop().create_task(self._stream(call, handler, request))

    async def _stream(self, call: NativeCall, handler: Any, request: bytes) -> None:
        """Sends the responses of a stream, however that ends."""
        try:
            self._door.arrive(call)
            message = handler.request_deserializer(request)
            async with aclosing(handler.unary_stream(message, call)) as responses:
                async for response in responses:
                    if not await call.send(handler.response_serializer(response)):
                        return
            call.finish()
        except Exception as error:  # noqa: BLE001 (the caller gets its status)
            call.set_exception(error)


def _stopping(metadata: Metadata) -> Failure:
    """Returns how a call ends that arrives during a stop."""
    call = Call("", metadata=metadata)
    RequestIds().arrive(call)
    trailers = failure_trailers(call, NO_METADATA)
    return Failure(grpc.StatusCode.UNAVAILABLE, "the server is stopping", trailers)
