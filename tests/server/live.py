"""A real server on a port of its own, its stubs, and the failures of its calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import grpc
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.catalog_pb2_grpc import CatalogServiceStub
from foldin.v1.model_pb2_grpc import ModelServiceStub
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.lifecycle.publisher import Description, activate, publish
from foldin_model.store.protocols import ImportedRating, ModelStore, RatingStore
from foldin_server.process.server import Server, running
from foldin_server.process.stores import Stores
from foldin_server.settings import Settings, Transport
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from planted import Planted
from server.faults import Gate

Answer = TypeVar("Answer")
Detail = TypeVar("Detail", bound=Message)
PAST_US = 1_500_000_000_000_000
transport: Transport = "grpcio"  # of servers in tests; the fixture of that name sets both
fast_path: Literal["on", "off"] = "on"


@dataclass(frozen=True)
class Live:
    """A running server and the stubs of its services."""

    server: Server
    channel: grpc.aio.Channel
    recommendations: Any
    catalog: Any
    models: Any

    async def health(self, service: str = "") -> str:
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    async def recommend(self, user: str, size: int = 10, **fields: Any) -> pb.RecommendResponse:
        request = pb.RecommendRequest(user_id=user, page_size=size, **fields)
        answer: pb.RecommendResponse = await self.recommendations.Recommend(request)
        return answer

    async def rate(
        self, user: str, item: str, value: float, **fields: Any
    ) -> pb.SubmitRatingResponse:
        request = pb.SubmitRatingRequest(user_id=user, item_id=item, value=value, **fields)
        answer: pb.SubmitRatingResponse = await self.recommendations.SubmitRating(request)
        return answer

    async def pages(self, user: str, size: int, **fields: Any) -> list[pb.RecommendResponse]:
        """Returns every page of a list."""
        pages = [await self.recommend(user, size, **fields)]
        while token := pages[-1].next_page_token:
            pages.append(await self.recommend(user, size, page_token=token, **fields))
        return pages


@dataclass(frozen=True)
class Failure:
    """The status that ended a call."""

    code: str
    reason: str
    status: Status

    def detail(self, kind: type[Detail]) -> Detail:
        return detail(self.status, kind)

    @property
    def fields(self) -> list[str]:
        """Returns the fields that BadRequest names."""
        return [violation.field for violation in self.detail(BadRequest).field_violations]

    @property
    def retry_ms(self) -> int:
        return int(self.detail(RetryInfo).retry_delay.ToMilliseconds())

    @property
    def resource(self) -> tuple[str, str]:
        info = self.detail(ResourceInfo)
        return info.resource_type, info.resource_name


def detail(status: Status, kind: type[Detail]) -> Detail:
    """Returns the detail of that kind, which the status must have."""
    found = kind()
    assert any(packed.Unpack(found) for packed in status.details), f"no {kind.__name__}: {status}"
    return found


async def failure(call: Awaitable[object]) -> Failure:
    """Returns the failure of a call, which must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error = raised.value
    packed = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    status = Status.FromString(packed if isinstance(packed, bytes) else packed.encode())
    assert status.code == error.code().value[0]
    info = detail(status, ErrorInfo)
    assert info.domain == "foldin.v1"
    return Failure(error.code().name, info.reason, status)


async def code_of(call: Awaitable[object]) -> str:
    """Returns the code of a call that must fail; it may have no details."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return str(raised.value.code().name)


async def until(holds: Callable[[], bool]) -> None:
    """Waits until a condition holds in this process."""
    while not holds():  # noqa: ASYNC110 (the server sends no event)
        await asyncio.sleep(0.005)


async def settled(ask: Callable[[], Awaitable[Answer]], holds: Callable[[Answer], bool]) -> Answer:
    """Asks until a condition holds for the answer. Returns that answer."""
    while not holds(answer := await ask()):  # noqa: ASYNC110 (the server sends no event)
        await asyncio.sleep(0.005)
    return answer


def in_flight(app: Live) -> float:
    """Returns the number of calls in flight, as the metrics show it."""
    return app.server.metrics.registry.get_sample_value("foldin_in_flight_calls") or 0.0


@asynccontextmanager
async def hold_places(app: Live, gate: Gate, count: int) -> AsyncIterator[None]:
    """Inside the block, `count` Recommends are in flight; they wait for the store."""
    gate.open.clear()
    held = [asyncio.create_task(app.recommend("1")) for _ in range(count)]
    await until(lambda: in_flight(app) == count)
    try:
        yield
    finally:
        gate.open.set()
        await asyncio.gather(*held)


def settings(**chosen: Any) -> Settings:
    """Returns settings for tests: any port, short polls, and times for a busy machine."""
    quick = Settings(
        address="127.0.0.1:0",
        transport=transport,
        fast_path=fast_path,
        log_calls=False,
        poll_interval_ms=20,
        stop_delay_s=0.0,
        stop_grace_s=5.0,
        revision_wait_ms=150,
    )
    return replace(quick, **chosen)


@asynccontextmanager
async def live(stores: Stores, **chosen: Any) -> AsyncIterator[Live]:
    """Runs a server on `stores`, with a channel to it."""
    async with (
        running(settings(**chosen), stores) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        yield Live(
            server,
            channel,
            RecommendationServiceStub(channel),
            CatalogServiceStub(channel),
            ModelServiceStub(channel),
        )


def publish_version(made: Planted, models: ModelStore, *, serve: bool = True) -> Version:
    """Publishes a planted model and makes it the current one, unless `serve` is false."""
    described = Description(
        method="planted",
        rating_count=int(made.users.rating_counts.sum()),
        seed=0,
        data_hash="planted",
        metrics={"rmse": 0.5},
        settings={},
    )
    version = Version(publish(made.model, made.users, described, models).version)
    if serve:
        activate(models, version)
    return version


async def import_histories(made: Planted, ratings: RatingStore, users: Sequence[str]) -> None:
    """Stores the ratings that `users` were trained on."""
    for user in users:
        rows, values = made.histories[UserId(user)]
        imported = [
            ImportedRating(ItemId(made.model.catalog.item_ids[row]), value, PAST_US)
            for row, value in zip(rows.tolist(), values.tolist(), strict=True)
        ]
        await ratings.import_ratings(UserId(user), imported)


def seen_by(made: Planted, user: str) -> set[str]:
    """Returns the items in a user's training history."""
    return {made.model.catalog.item_ids[row] for row in made.histories[UserId(user)][0]}


def ids(answer: Any) -> list[str]:
    """Returns the item ids of a page."""
    return [item.item_id for item in answer.items]


def ids_of(pages: Sequence[Any]) -> list[str]:
    """Returns the item ids of many pages."""
    return [item_id for page in pages for item_id in ids(page)]
