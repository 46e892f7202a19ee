"""A server put together: its parts, each made by a function of its own, then its methods."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc
from foldin.v1 import catalog_pb2, model_pb2, recommendation_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from foldin_server.admission.call_log import CallLog
from foldin_server.admission.door import Door
from foldin_server.admission.method import Method
from foldin_server.admission.places import Places
from foldin_server.api.catalog_service import CatalogService
from foldin_server.api.health import Health
from foldin_server.api.model_service import ModelService
from foldin_server.api.recommendation_service import RecommendationService
from foldin_server.api.unary_methods import unary_methods
from foldin_server.fast_path.methods import with_fast_path
from foldin_server.process.stores import Stores
from foldin_server.recommend.guarded_store import GuardedStore
from foldin_server.recommend.recommender import Recommender
from foldin_server.recommend.tracked_users import TrackedUsers
from foldin_server.recommend.user_cache import UserCache
from foldin_server.recommend.users import Freshness, Users
from foldin_server.runtime.background import BackgroundTasks
from foldin_server.runtime.metrics import Metrics
from foldin_server.settings import Settings
from foldin_server.transport.listener import choose_transport
from foldin_server.versions.snapshots import Snapshots
from foldin_server.writes.catalog_writer import CatalogWriter
from foldin_server.writes.item_fold_in import ItemFoldIn
from foldin_server.writes.rating_writer import RatingWriter

RECOMMENDATION: Final = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
CATALOG: Final = catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"]
MODEL: Final = model_pb2.DESCRIPTOR.services_by_name["ModelService"]
HEALTH: Final[Any] = health_pb2.DESCRIPTOR.services_by_name["Health"]
SERVICES: Final = tuple(service.full_name for service in (RECOMMENDATION, CATALOG, MODEL))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one server that last as long as it does."""

    settings: Settings
    stores: Stores
    metrics: Metrics
    background: BackgroundTasks
    call_log: CallLog
    door: Door
    store: GuardedStore
    snapshots: Snapshots
    tracked_users: TrackedUsers
    users: Users
    item_fold_in: ItemFoldIn
    health: Health


def assembled(
    settings: Settings, stores: Stores, models_refreshed: Callable[[], Awaitable[None]]
) -> Parts:
    """Returns the parts below the services; `models_refreshed` is awaited after every refresh."""
    metrics = Metrics()
    background = BackgroundTasks(metrics)
    call_log = CallLog(metrics, write_lines=settings.log_calls)
    store = GuardedStore(stores.ratings, metrics)
    tracked = TrackedUsers(settings.user_cache_size, metrics)
    return Parts(
        settings=settings,
        stores=stores,
        metrics=metrics,
        background=background,
        call_log=call_log,
        door=_door(settings, metrics, call_log),
        snapshots=_snapshots(settings, stores, metrics, models_refreshed),
        store=store,
        tracked_users=tracked,
        users=_users(settings, store, tracked, background),
        item_fold_in=ItemFoldIn(store, stores.models.overlay, background),
        health=Health(),
    )


def _door(settings: Settings, metrics: Metrics, call_log: CallLog) -> Door:
    """Returns the door; further steps for every call are given to it here."""
    return Door(Places(settings.max_in_flight, metrics), call_log)


def _snapshots(
    settings: Settings,
    stores: Stores,
    metrics: Metrics,
    models_refreshed: Callable[[], Awaitable[None]],
) -> Snapshots:
    return Snapshots(
        stores.models,
        stores.directory,
        metrics,
        retire_after_s=settings.retire_after_s,
        changed=models_refreshed,
    )


def _users(
    settings: Settings, store: GuardedStore, tracked: TrackedUsers, background: BackgroundTasks
) -> Users:
    return Users(
        store,
        UserCache(settings.user_cache_size),
        tracked,
        background,
        revision_wait_s=settings.revision_wait_ms / 1_000,
        freshness=Freshness[settings.freshness.upper()],
    )


def methods_of(parts: Parts) -> dict[str, Method]:
    """Returns every unary method by its path, the fast path before the general way if it is on."""
    recommender = Recommender(parts.snapshots, parts.users)
    methods = {
        **unary_methods(RECOMMENDATION, _recommendation_service(parts, recommender)),
        **unary_methods(CATALOG, _catalog_service(parts)),
        **unary_methods(MODEL, _model_service(parts)),
        **unary_methods(HEALTH, parts.health, arrival_only=True),
    }
    if parts.settings.fast_path == "off":
        return methods
    return with_fast_path(
        methods,
        parts.door,
        parts.snapshots,
        recommender,
        parts.users,
        cache_size=parts.settings.answer_cache_size,
        transport=choose_transport(parts.settings),
    )


def _recommendation_service(parts: Parts, recommender: Recommender) -> RecommendationService:
    rating_writer = RatingWriter(
        parts.store, parts.tracked_users, parts.item_fold_in, parts.background
    )
    return RecommendationService(parts.door, parts.snapshots, recommender, rating_writer)


def _catalog_service(parts: Parts) -> CatalogService:
    catalog_writer = CatalogWriter(parts.snapshots, parts.stores.models.overlay, parts.background)
    return CatalogService(parts.door, parts.snapshots, catalog_writer)


def _model_service(parts: Parts) -> ModelService:
    stores = parts.stores
    return ModelService(parts.door, parts.snapshots, stores.models, stores.directory)


def streams_of(parts: Parts) -> dict[str, Any]:
    """Returns the handlers of streams by their paths: health's Watch, and reflection."""
    reflected = (*SERVICES, HEALTH.full_name, reflection.SERVICE_NAME)
    return {
        f"/{HEALTH.full_name}/Watch": grpc.unary_stream_rpc_method_handler(
            parts.health.Watch,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
        ),
        f"/{reflection.SERVICE_NAME}/ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            reflection.aio.ReflectionServicer(reflected).ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        ),
    }
