"""A gRPC server of several `grpc.aio` servers on one port, among which the system shares callers.

A `grpc.aio` server takes a call only when it has taken the one before, by way of another thread and
of turns of the loop, so that callers queue in front of a loop that has time for them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc
from grpc import aio

SERVERS: Final = 8  # four take fewer calls a second, sixteen no more


class _Methods(grpc.GenericRpcHandler):
    """All methods by their paths.

    Were each registered with a server, that would look at every one of them for each call it takes.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Any] = {}

    def add(self, service_name: str, handlers: Mapping[str, Any]) -> None:
        """Calls of these methods go to these handlers."""
        for name, handler in handlers.items():
            self._handlers[f"/{service_name}/{name}"] = handler

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a call, None where there is no such method."""
        return self._handlers.get(handler_call_details.method)


class GrpcioServer(aio.Server):
    """Servers with the same handlers on a port that is shared, on the loop that starts them."""

    def __init__(self, options: Sequence[tuple[str, int]]) -> None:
        shared = (*options, ("grpc.so_reuseport", 1))
        self._methods = _Methods()
        self._servers = [aio.server(options=shared) for _ in range(SERVERS)]

    def add_insecure_port(self, address: str) -> int:
        """Binds `address`, whose port is no 0, and gives the port. Raises RuntimeError."""
        return max(server.add_insecure_port(address) for server in self._servers)

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """The same with TLS."""
        return max(server.add_secure_port(address, server_credentials) for server in self._servers)

    def add_generic_rpc_handlers(self, generic_rpc_handlers: object) -> None:
        """Nothing: generated code adds the same methods by name as well."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Any]
    ) -> None:
        """The methods of a service, from the start on."""
        self._methods.add(service_name, method_handlers)

    async def start(self) -> None:
        """Takes calls from now on."""
        for server in self._servers:
            server.add_generic_rpc_handlers([self._methods])
            await server.start()

    async def stop(self, grace: float | None) -> None:
        """Takes no more calls and gives those in work `grace` seconds to end."""
        await asyncio.gather(*(server.stop(grace) for server in self._servers))

    async def wait_for_termination(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 (the name is grpcio's)
    ) -> bool:
        """Whether `timeout` seconds have passed and it has not stopped."""
        waits = (server.wait_for_termination(timeout) for server in self._servers)
        return any(await asyncio.gather(*waits))
