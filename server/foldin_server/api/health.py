"""The health service: the status of each service, for callers who ask and callers who watch.

It replaces grpcio's own, where the first watcher to leave keeps the news from the others, and
where a stop waits for watchers until its grace has passed.
"""

# ruff: noqa: N802, ARG002 (names and arguments are those of the contract)

import asyncio
from collections.abc import AsyncIterator

from foldin_model.errors import NotFound
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from foldin_server.admission.call import Call
from foldin_server.quotation import quoted


class ServiceNotFound(NotFound):
    """No service of that name is here."""

    reason = "SERVICE_NOT_FOUND"
    resource_type = "grpc.health.v1.Service"


class Health:
    """Statuses by service. A watcher gets the newest status, not every one in between."""

    def __init__(self) -> None:
        self._statuses: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._leaving = False

    def set(self, service: str, status: int) -> None:
        """Sets the status of a service. A server that leaves keeps NOT_SERVING."""
        if not self._leaving and self._statuses.get(service) != status:
            self._statuses[service] = status
            self._wake_watchers()

    def leave(self) -> None:
        """Sets every service to NOT_SERVING for good; watchers get that, and their calls end."""
        self._statuses = dict.fromkeys(self._statuses, HealthCheckResponse.NOT_SERVING)
        self._leaving = True
        self._wake_watchers()

    async def Check(self, request: HealthCheckRequest, call: Call) -> HealthCheckResponse:
        """Returns the status of a service. Raises ServiceNotFound."""
        status = self._statuses.get(request.service)
        if status is None:
            name = quoted(request.service)  # a status is short, however long the name is
            raise ServiceNotFound(name, f"no service {name} here")
        return HealthCheckResponse(status=status)

    async def Watch(
        self, request: HealthCheckRequest, context: object
    ) -> AsyncIterator[HealthCheckResponse]:
        """Yields the status of a service, now and after every change."""
        sent = None
        while True:
            changed = self._changed
            status = self._statuses.get(request.service, HealthCheckResponse.SERVICE_UNKNOWN)
            if status != sent:
                yield HealthCheckResponse(status=status)
                sent = status
            elif self._leaving:
                return
            else:
                await changed.wait()

    def _wake_watchers(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
