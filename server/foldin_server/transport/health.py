"""The health service: the status of each service, told to all who ask and to all who watch.

It stands in for grpcio's own, where the first watcher to leave takes the news from the others, and
where a stop waits for watchers until its grace has passed.
"""

# ruff: noqa: N802, ARG002 (names and arguments are those of the contract)

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from foldin_server.quotation import quoted


class Health(HealthServicer):
    """Statuses by service. A watcher hears of the last status, not of every one between."""

    def __init__(self) -> None:
        self._statuses: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._leaving = False

    def set(self, service: str, status: int) -> None:
        """The service has that status; a server that leaves keeps NOT_SERVING."""
        if not self._leaving and self._statuses.get(service) != status:
            self._statuses[service] = status
            self._tell()

    def leave(self) -> None:
        """Every service is NOT_SERVING from now on; watchers hear it and their calls end."""
        self._statuses = dict.fromkeys(self._statuses, HealthCheckResponse.NOT_SERVING)
        self._leaving = True
        self._tell()

    async def Check(self, request: HealthCheckRequest, context: Any) -> HealthCheckResponse:
        status = self._statuses.get(request.service)
        if status is None:
            told = f"no service {quoted(request.service)} here"
            await context.abort(grpc.StatusCode.NOT_FOUND, told)
        return HealthCheckResponse(status=status)

    async def Watch(
        self, request: HealthCheckRequest, context: Any
    ) -> AsyncIterator[HealthCheckResponse]:
        told = None
        while True:
            changed = self._changed
            status = self._statuses.get(request.service, HealthCheckResponse.SERVICE_UNKNOWN)
            if status != told:
                yield HealthCheckResponse(status=status)
                told = status
            elif self._leaving:
                return
            else:
                await changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
