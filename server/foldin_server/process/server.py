"""One server process from start to stop: bind, load, serve, and leave without losing a call.

Everything that a server is made of is put together here; what the parts do, they know themselves.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop
from foldin.v1 import catalog_pb2, model_pb2, recommendation_pb2
from foldin_model.errors import StoreUnavailable
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.store.opening import default_data_dir, open_store_url
from foldin_model.store.protocols import ModelStore, RatingStore
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.redis.revision_tracker import RevisionTracker
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection

from foldin_server.admission.calls import Calls
from foldin_server.api.catalog_service import Catalogue
from foldin_server.api.model_service import Models
from foldin_server.api.recommendation_service import Recommendations
from foldin_server.fast_path.answer_cache import Answers
from foldin_server.fast_path.batch_answers import Answering
from foldin_server.recommend.guarded_store import GuardedStore
from foldin_server.recommend.recommender import Recommender
from foldin_server.recommend.tracked_users import TrackedUsers
from foldin_server.recommend.user_cache import UserCache
from foldin_server.recommend.users import Freshness, Users
from foldin_server.runtime import threads
from foldin_server.runtime.background import Background
from foldin_server.runtime.metrics import Metrics, MetricsEndpoint
from foldin_server.runtime.telemetry import Telemetry
from foldin_server.settings import Settings
from foldin_server.transport.factory import make_server
from foldin_server.transport.health import Health
from foldin_server.transport.listener import choose_transport
from foldin_server.transport.method_table import add_recommend
from foldin_server.transport.registration import add_service
from foldin_server.versions.snapshots import Snapshots
from foldin_server.writes.catalog_writer import Cataloguer, ItemFolding
from foldin_server.writes.rating_writer import Rater

RECOMMENDATIONS: Final = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
CATALOGUE: Final = catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"]
MODELS: Final = model_pb2.DESCRIPTOR.services_by_name["ModelService"]
HEALTH: Final[Any] = health_pb2.DESCRIPTOR.services_by_name["Health"]
SERVICES: Final = tuple(service.full_name for service in (RECOMMENDATIONS, CATALOGUE, MODELS))
CURRENT_MODEL: Final = "foldin.v1.current_model"  # health: is the store's current model served?
MODELS_TIMEOUT_S: Final = 2.0  # a chunk of a model may take longer than what is of one user
SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """What a server serves from: ratings, models, and where models are installed."""

    ratings: RatingStore
    models: ModelStore
    directory: Path
    tracker: RevisionTracker | None = None
    """Tells of every write; without one every answer asks the store."""


class Server:
    """One gRPC server on the running loop."""

    def __init__(self, settings: Settings, stores: Stores) -> None:
        self._settings = settings
        self.metrics = Metrics()
        self._telemetry = Telemetry(self.metrics, log_calls=settings.log_calls)
        self.background = Background(self.metrics)
        self.store = GuardedStore(stores.ratings, self.metrics)
        self.snapshots = Snapshots(
            stores.models,
            stores.directory,
            self.metrics,
            retire_after_s=settings.retire_after_s,
            changed=self._looked,
        )
        self._health = Health()
        self.transport = choose_transport(settings)
        self._server, self.address = make_server(settings)
        self.tracked = TrackedUsers(settings.user_cache_size, self.metrics)
        self._tracker = stores.tracker
        self._folding = ItemFolding(self.store, stores.models.overlay, self.background)
        self._refolded: Version | None = None
        self._add_services(stores)
        self._following: list[asyncio.Task[None]] = []
        self._endpoint: MetricsEndpoint | None = None

    async def start(self) -> None:
        """Takes calls, answers them from the store's current model, and follows its pointer.

        A store that is out of reach is waited for; StoreMismatch is raised.
        """
        if self._settings.metrics_address is not None:
            self._endpoint = self.metrics.listen(self._settings.metrics_address)
        await self._show_health()
        await self._server.start()
        with suppress(StoreUnavailable):
            await self.store.ping()
        await self.snapshots.look()
        version = self.snapshots.serving().version if self.snapshots.ready else ""
        told = {"transport": self.transport, "model_version": version}
        log.info("serving", extra={"address": self.address, **told})
        interval_s = self._settings.poll_interval_ms / 1_000
        self._following.append(asyncio.create_task(self.snapshots.follow(interval_s)))
        if self._tracker is not None:
            self._following.append(asyncio.create_task(self._tracker.follow(self.tracked)))

    async def stop(self) -> None:
        """Says NOT_SERVING, lets callers see it, ends the calls in flight, then what they began."""
        log.info("stopping")
        for task in self._following:
            task.cancel()
        if self._following:
            await asyncio.wait(self._following)
        self._health.leave()
        await asyncio.sleep(self._settings.stop_delay_s)
        await self._server.stop(self._settings.stop_grace_s)
        await self.background.drain()
        await self.store.close()
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.close)
        log.info("stopped")

    def _add_services(self, stores: Stores) -> None:
        settings, server, snapshots = self._settings, self._server, self.snapshots
        calls = Calls(self.metrics, self._telemetry, settings.max_in_flight)
        users = Users(
            self.store,
            UserCache(settings.user_cache_size),
            self.tracked,
            self.background,
            revision_wait_s=settings.revision_wait_ms / 1_000,
            freshness=Freshness[settings.freshness.upper()],
        )
        recommendations = Recommendations(
            calls,
            snapshots,
            Recommender(snapshots, users),
            Rater(self.store, self.tracked, self._folding, self.background),
            Answering(snapshots, users, Answers(settings.answer_cache_size), self.transport),
        )
        catalogue = Catalogue(
            calls, snapshots, Cataloguer(snapshots, stores.models.overlay, self.background)
        )
        models = Models(calls, snapshots, stores.models, stores.directory)
        for service, servicer in (
            (RECOMMENDATIONS, recommendations),
            (CATALOGUE, catalogue),
            (MODELS, models),
            (HEALTH, self._health),
        ):
            add_service(server, service, servicer, calls)
        add_recommend(recommendations, server)
        reflected = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(reflected, server)

    async def _looked(self) -> None:
        await self._show_health()
        if not (self.snapshots.ready and self.store.reachable):
            return
        snapshot = self.snapshots.serving()
        outdated: Sequence[tuple[ItemId, UserId]] = ()
        if snapshot.version != self._refolded:  # once a version, or servers of two never agree
            self._refolded = snapshot.version
            outdated = self.snapshots.outdated_ratings()
        self._folding.refold(snapshot, outdated)

    async def _show_health(self) -> None:
        self._telemetry.hash_key = self.snapshots.page_key
        ready = SERVING if self.snapshots.ready else NOT_SERVING
        for service in (health.OVERALL_HEALTH, *SERVICES):
            self._health.set(service, ready)
        current = SERVING if self.snapshots.is_current else NOT_SERVING
        self._health.set(CURRENT_MODEL, current)


@asynccontextmanager
async def running(settings: Settings, stores: Stores) -> AsyncIterator[Server]:
    """A server that takes calls inside the block and has stopped after it."""
    with _scheduled(settings):
        server = Server(settings, stores)
    try:
        with _scheduled(settings):
            await server.start()
        yield server
    finally:
        await server.stop()


def _scheduled(settings: Settings) -> AbstractContextManager[None]:
    """How threads beside the loop's begin; those of one process alone have a core to themselves."""
    return threads.giving_way() if settings.workers > 1 else nullcontext()


def serve(settings: Settings, *, lifeline: int | None = None) -> None:
    """Serves until SIGTERM, SIGINT, or the end of the file `lifeline`, a parent's pipe.

    Raises SettingsError and StoreMismatch.
    """
    threads.limit_now()
    data_dir = settings.data_dir or default_data_dir()
    with open_store_url(settings.redis_url, data_dir) as url:
        uvloop.run(_serve(settings, url, data_dir / "models", lifeline))


async def _serve(settings: Settings, url: str, directory: Path, lifeline: int | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if lifeline is not None:

        def orphaned() -> None:
            loop.remove_reader(lifeline)
            log.error("parent_gone")
            stopped.set()

        loop.add_reader(lifeline, orphaned)
    timeout_s = settings.store_timeout_ms / 1_000
    models = RedisModelStore(url, settings.namespace, timeout_s=MODELS_TIMEOUT_S)
    ratings = RedisRatingStore(url, settings.namespace, timeout_s=timeout_s)
    tracker = None
    if settings.freshness == "bounded":
        tracker = RevisionTracker(url, settings.namespace, timeout_s=timeout_s)
    try:
        async with running(settings, Stores(ratings, models, directory, tracker)):
            gc.collect()
            gc.freeze()  # what is loaded stays; looking through it again holds every call up
            await stopped.wait()
    finally:
        models.close()
