"""A gRPC server of several `grpc.aio` servers on one port, among which the system shares callers.

A `grpc.aio` server takes a call only when it has taken the one before, by way of another thread and
of turns of the loop, so that callers queue in front of a loop that has time for them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc
from grpc import aio

from foldin_server.admission.door import Door
from foldin_server.admission.method import Method
from foldin_server.admission.request_ids import success_trailers
from foldin_server.transport.streams import call_of, through_door

SERVERS: Final = 8  # four take fewer calls a second, sixteen no more


class _HandlersByPath(grpc.GenericRpcHandler):
    """All handlers by their paths.

    Were each registered with a server, that would look at every one of them for each call it takes.
    """

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Returns the handler of a call, None where there is no such method."""
        return self.handlers.get(handler_call_details.method)


class GrpcioServer:
    """Servers with the same handlers on a port that they share, on the loop that starts them."""

    def __init__(self, options: Sequence[tuple[str, int]], door: Door) -> None:
        shared = (*options, ("grpc.so_reuseport", 1))
        self._door = door
        self._by_path = _HandlersByPath()
        self._servers = [aio.server(options=shared) for _ in range(SERVERS)]

    def add_insecure_port(self, address: str) -> int:
        """Binds `address`, whose port is not 0, and returns the port. Raises RuntimeError."""
        return max(server.add_insecure_port(address) for server in self._servers)

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """The same with TLS."""
        return max(server.add_secure_port(address, server_credentials) for server in self._servers)

    def add_unary_methods(self, methods: Mapping[str, Method]) -> None:
        """Adds unary methods by their paths, before the start."""
        for path, method in methods.items():
            self._by_path.handlers[path] = _unary_handler(self._door, method)

    def add_streams(self, streams: Mapping[str, Any]) -> None:
        """Adds the handlers of streams by their paths, before the start."""
        for path, handler in streams.items():
            name = path.rpartition("/")[2]
            self._by_path.handlers[path] = through_door(self._door, name, handler)

    async def start(self) -> None:
        """Takes calls from now on."""
        for server in self._servers:
            server.add_generic_rpc_handlers([self._by_path])
            await server.start()

    async def stop(self, grace: float | None) -> None:
        """Takes no more calls and gives those in work `grace` seconds to end."""
        await asyncio.gather(*(server.stop(grace) for server in self._servers))

    async def wait_for_termination(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 (the name is grpcio's)
    ) -> bool:
        """Returns whether `timeout` seconds have passed and it has not stopped."""
        waits = (server.wait_for_termination(timeout) for server in self._servers)
        return any(await asyncio.gather(*waits))


def _unary_handler(door: Door, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
    """Returns the handler that sees a call of the method through the door to its end."""

    async def answer(request: bytes, context: Any) -> bytes:
        call = call_of(method.name, context, len(request), arrival_only=method.arrival_only)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            work = door.begin(call, method, request, reply)
            response = await (reply if work is None else work)
        except asyncio.CancelledError:
            call.code = "CANCELLED"
            raise
        except Exception as error:  # noqa: BLE001 (the caller gets its status)
            failure = door.fail(call, error)
        else:
            if call.request_id_sent:
                context.set_trailing_metadata(success_trailers(call))
            return response
        finally:
            door.leave(call)
        never: bytes = await context.abort(*failure)  # it raises
        return never

    return grpc.unary_unary_rpc_method_handler(answer)
