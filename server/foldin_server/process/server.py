"""One gRPC server from start to stop: bind, load, serve, and leave without losing a call."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from typing import Final

from foldin_model.errors import StoreUnavailable
from foldin_model.ids import ItemId, UserId, Version
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse

from foldin_server.process.assembly import SERVICES, assembled, methods_of, streams_of
from foldin_server.process.stores import Stores
from foldin_server.runtime import threads
from foldin_server.runtime.metrics import MetricsEndpoint
from foldin_server.settings import Settings
from foldin_server.transport.factory import make_server
from foldin_server.transport.listener import choose_transport

CURRENT_MODEL: Final = "foldin.v1.current_model"  # health: is the store's current model served?
SERVING: Final = HealthCheckResponse.SERVING
NOT_SERVING: Final = HealthCheckResponse.NOT_SERVING
log = logging.getLogger(__name__)


class Server:
    """One gRPC server on the running loop. Its port is bound, but it takes no calls before start.

    Raises SettingsError where it cannot listen.
    """

    def __init__(self, settings: Settings, stores: Stores) -> None:
        self._settings = settings
        self._revisions = stores.revisions
        self.parts = parts = assembled(settings, stores, self._models_refreshed)
        self.metrics, self.background = parts.metrics, parts.background
        self.store, self.snapshots, self.tracked = parts.store, parts.snapshots, parts.tracked_users
        self.transport = choose_transport(settings)
        self._server, self.address = make_server(settings, parts.door)
        self._server.add_unary_methods(methods_of(parts))
        self._server.add_streams(streams_of(parts))
        self._refolded: Version | None = None
        self._following: list[asyncio.Task[None]] = []
        self._endpoint: MetricsEndpoint | None = None

    async def start(self) -> None:
        """Takes calls, answers them from the store's current model, and follows its pointer.

        A store that is out of reach is waited for. Raises StoreMismatch.
        """
        if self._settings.metrics_address is not None:
            self._endpoint = self.metrics.listen(self._settings.metrics_address)
        self._show_health()
        await self._server.start()
        with suppress(StoreUnavailable):
            await self.store.ping()
        await self.snapshots.refresh()
        version = self.snapshots.serving().version if self.snapshots.ready else ""
        shown = {"transport": self.transport, "model_version": version}
        log.info("serving", extra={"address": self.address, **shown})
        interval_s = self._settings.poll_interval_ms / 1_000
        self._following.append(asyncio.create_task(self.snapshots.follow(interval_s)))
        if self._revisions is not None:
            self._following.append(asyncio.create_task(self._revisions.follow(self.tracked)))

    async def stop(self) -> None:
        """Reports NOT_SERVING, waits until callers see it, and ends all calls and their work."""
        log.info("stopping")
        for task in self._following:
            task.cancel()
        if self._following:
            await asyncio.wait(self._following)
        self.parts.health.leave()
        await asyncio.sleep(self._settings.stop_delay_s)
        await self._server.stop(self._settings.stop_grace_s)
        await self.background.drain()
        await self.store.close()
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.close)
        log.info("stopped")

    async def _models_refreshed(self) -> None:
        self._show_health()
        if not (self.snapshots.ready and self.store.reachable):
            return
        snapshot = self.snapshots.serving()
        outdated: Sequence[tuple[ItemId, UserId]] = ()
        if snapshot.version != self._refolded:  # once a version, or servers of two never agree
            self._refolded = snapshot.version
            outdated = self.snapshots.outdated_ratings()
        self.parts.item_fold_in.refold(snapshot, outdated)

    def _show_health(self) -> None:
        self.parts.call_log.hash_key = self.snapshots.page_key
        ready = SERVING if self.snapshots.ready else NOT_SERVING
        for service in (health.OVERALL_HEALTH, *SERVICES):
            self.parts.health.set(service, ready)
        current = SERVING if self.snapshots.is_current else NOT_SERVING
        self.parts.health.set(CURRENT_MODEL, current)


@asynccontextmanager
async def running(settings: Settings, stores: Stores) -> AsyncIterator[Server]:
    """Yields a server that takes calls inside the block and has stopped after it."""
    with _scheduled(settings):
        server = Server(settings, stores)
    try:
        with _scheduled(settings):
            await server.start()
        yield server
    finally:
        await server.stop()


def _scheduled(settings: Settings) -> AbstractContextManager[None]:
    """Returns how threads beside the loop's begin: those of several processes share the cores."""
    return threads.batch_scheduling() if settings.workers > 1 else nullcontext()
