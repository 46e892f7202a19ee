"""What callers see of a transport itself, the same on both."""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2, recommendation_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub
from foldin_client.channel.options import MAX_ANSWER_BYTES
from foldin_server.process.stores import Stores
from foldin_server.settings import Settings, SettingsError
from foldin_server.transport import factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from planted import Planted
from server.faults import Gate
from server.live import Live, code_of, failure, live, publish_version, settled, until

from server import live as live_module

METHOD = "/foldin.v1.RecommendationService/Recommend"
SERVICE = "foldin.v1.RecommendationService"
CONTRACT = [
    f"/{service.full_name}/{method.name}"
    for file in (recommendation_pb2, catalog_pb2, model_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
METHODS = [*CONTRACT, "/grpc.health.v1.Health/Check"]
# Where the libraries differ, before a call reaches anything of ours.
OF_A_FLOOD = {"grpcio": "RESOURCE_EXHAUSTED", "native": "UNKNOWN"}


async def raw(app: Live, method: str, request: bytes) -> bytes:
    """Calls the method with these bytes and returns those of the response."""
    channel: Any = app.channel
    answer: bytes = await channel.unary_unary(method)(request)
    return answer


def in_flight(app: Live) -> float:
    return app.server.metrics.registry.get_sample_value("foldin_in_flight_calls") or 0.0


def ended(app: Live, code: str) -> float | None:
    """Returns how many Recommends have ended with the code, by the metrics."""
    labels = {"method": "Recommend", "code": code}
    return app.server.metrics.registry.get_sample_value("foldin_rpc_seconds_count", labels)


def hold(app: Live, count: int) -> list["asyncio.Task[pb.RecommendResponse]"]:
    return [asyncio.create_task(app.recommend("1")) for _ in range(count)]


async def test_a_passed_deadline_stops_the_work(app: Live, ratings: Gate) -> None:
    ratings.open.clear()
    request = pb.RecommendRequest(user_id="1")
    assert await code_of(app.recommendations.Recommend(request, timeout=0.2)) == "DEADLINE_EXCEEDED"
    await until(lambda: in_flight(app) == 0)
    ratings.open.set()


async def test_a_cancelled_call_stops_the_work(app: Live, ratings: Gate) -> None:
    ratings.open.clear()
    call = app.recommendations.Recommend(pb.RecommendRequest(user_id="1"))
    asking = asyncio.create_task(call.code())
    await until(lambda: in_flight(app) == 1)
    assert call.cancel()
    await until(lambda: in_flight(app) == 0)
    ratings.open.set()
    assert await asking is grpc.StatusCode.CANCELLED


async def test_a_full_server_refuses_calls_but_reports_its_health(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    async with live(stores, max_in_flight=2) as app:
        ratings.open.clear()
        held = hold(app, 2)
        await until(lambda: in_flight(app) == 2)
        for _ in range(20):
            failed = await failure(app.recommend("1"))
            assert (failed.code, failed.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
            assert failed.retry_ms > 0
        assert ended(app, "RESOURCE_EXHAUSTED") == 20
        assert await app.health() == "SERVING"
        assert SERVICE in await reflected(app)
        assert not any(call.done() for call in held)
        ratings.open.set()
        assert all(answer.items for answer in await asyncio.gather(*held))
        await until(lambda: ended(app, "OK") == 2)


async def reflected(app: Live) -> set[str]:
    make_stub: Any = reflection_pb2_grpc.ServerReflectionStub
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in make_stub(app.channel).ServerReflectionInfo(iter([asked])):
        return {service.name for service in answer.list_services_response.service}
    return set()


async def test_a_request_beyond_the_limit_is_refused_and_an_answer_may_be_larger(
    small: Planted, stores: Stores
) -> None:
    publish_version(small, stores.models)
    async with live(stores, max_message_bytes=4096) as app:
        assert await raw(app, METHOD, request_of(4096))
        assert await code_of(raw(app, METHOD, request_of(4097))) == "RESOURCE_EXHAUSTED"
        assert (await app.recommend("1", 200)).ByteSize() > 4096


async def test_an_answer_beyond_its_own_limit_is_refused(
    small: Planted, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "MAX_ANSWER_BYTES", 4096)
    publish_version(small, stores.models)
    async with live(stores) as app:
        assert await code_of(app.recommend("1", 200)) == "RESOURCE_EXHAUSTED"


def test_an_answer_may_be_as_large_as_the_client_takes() -> None:
    assert factory.MAX_ANSWER_BYTES == MAX_ANSWER_BYTES


async def test_a_batch_within_every_limit_is_answered_though_it_is_large(
    small: Planted, stores: Stores
) -> None:
    titles = tuple(title.ljust(500) for title in small.model.catalog.titles)
    model = replace(small.model, catalog=replace(small.model.catalog, titles=titles))
    publish_version(replace(small, model=model), stores.models)
    async with live(stores) as app:
        wide = pb.RecommendRequest(user_id="1", page_size=200)
        options = [("grpc.max_receive_message_length", MAX_ANSWER_BYTES)]
        async with grpc.aio.insecure_channel(app.server.address, options) as channel:
            stub: Any = RecommendationServiceStub(channel)
            answer = await stub.BatchRecommend(pb.BatchRecommendRequest(requests=[wide] * 100))
    assert answer.ByteSize() > Settings().max_message_bytes
    assert all(len(result.response.items) == 120 for result in answer.results)


def request_of(size: int) -> bytes:
    """Returns a valid request of that many bytes."""
    ids = ["x" * 100] * 38
    request = pb.RecommendRequest(
        user_id="1", page_size=1, filter=ratings_pb2.ItemFilter(exclude_item_ids=ids)
    )
    missing = size - request.ByteSize()
    request.user_id = "1" * (1 + missing)
    assert request.ByteSize() in {size, size + 1}
    if request.ByteSize() > size:  # the length of the id takes a second byte now
        request.user_id = request.user_id[:-1]
    return request.SerializeToString()


async def test_every_call_of_the_contract_has_its_answer_or_its_refusal(app: Live) -> None:
    assert len(CONTRACT) == 17
    answers = await asyncio.gather(
        *(raw(app, method, b"") for method in CONTRACT), return_exceptions=True
    )
    refusals = [one.code().name for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert sum(isinstance(one, bytes) for one in answers) + len(refusals) == len(CONTRACT)
    assert set(refusals) == {"INVALID_ARGUMENT"}


async def test_an_unknown_method_is_refused(app: Live) -> None:
    assert await code_of(raw(app, f"/{SERVICE}/Guess", b"")) == "UNIMPLEMENTED"
    assert await code_of(raw(app, "/other.v1.Service/Guess", b"")) == "UNIMPLEMENTED"


async def test_every_method_refuses_malformed_bytes_alike(
    app: Live, caplog: pytest.LogCaptureFixture
) -> None:
    messages = set()
    for method in METHODS:
        failed = await failure(raw(app, method, b"\x0a\x02\xff\xfe\xff"))
        assert (failed.code, failed.reason) == ("INTERNAL", "INTERNAL"), method
        messages.add(failed.status.message)
    watching: Any = app.channel.unary_stream("/grpc.health.v1.Health/Watch")
    messages.add((await failure(anext(aiter(watching(b"\xff"))))).status.message)
    assert messages == {"the request is no message of its method"}
    assert "Traceback" not in caplog.text
    assert in_flight(app) == 0


async def test_metadata_and_compression_of_a_caller_are_taken(app: Live) -> None:
    metadata = (("x-request-id", "42"), ("x-trace-bin", b"\x00\xff"))
    answer = await app.recommendations.Recommend(
        pb.RecommendRequest(user_id="1"), metadata=metadata, compression=grpc.Compression.Gzip
    )
    assert answer.items
    flood = app.recommendations.Recommend(
        pb.RecommendRequest(user_id="1"), metadata=(("x-flood", "x" * 40_000),)
    )
    assert await code_of(flood) == OF_A_FLOOD[live_module.transport]


def watch(app: Live, service: str) -> Any:
    make_stub: Any = health_pb2_grpc.HealthStub
    return make_stub(app.channel).Watch(health_pb2.HealthCheckRequest(service=service))


def name(answer: Any) -> str:
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def test_health_of_an_unknown_service_is_not_found_but_may_be_watched(app: Live) -> None:
    assert await code_of(app.health("foldin.v1.Nothing")) == "NOT_FOUND"
    watching = watch(app, "foldin.v1.Nothing")
    assert name(await watching.read()) == "SERVICE_UNKNOWN"
    watching.cancel()


async def test_every_watcher_is_notified_after_others_have_left(
    small: Planted, stores: Stores
) -> None:
    async with live(stores) as app:
        leaving, staying = watch(app, SERVICE), watch(app, SERVICE)
        for watching in (leaving, staying):
            assert name(await watching.read()) == "NOT_SERVING"
        leaving.cancel()
        publish_version(small, stores.models)
        assert name(await staying.read()) == "SERVING"
        stopping = asyncio.create_task(app.server.stop())
        assert name(await staying.read()) == "NOT_SERVING"
        assert await staying.read() is grpc.aio.EOF
        await stopping


async def refused(app: Live) -> bool:
    """Returns whether the server refuses a new call."""
    try:
        await app.health()
    except grpc.aio.AioRpcError:
        return True
    return False


async def test_a_stop_waits_for_the_calls_in_flight(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    async with live(stores) as app:
        ratings.open.clear()
        held = hold(app, 100)
        await until(lambda: in_flight(app) == 100)
        stopping = asyncio.create_task(app.server.stop())
        await settled(lambda: refused(app), bool)
        ratings.open.set()
        assert all(answer.items for answer in await asyncio.gather(*held))
        await stopping


async def test_a_stop_ends_though_a_call_does_not(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    async with live(stores, stop_grace_s=0.1) as app:
        ratings.open.clear()
        (held,) = hold(app, 1)
        await until(lambda: in_flight(app) == 1)
        await app.server.stop()
        assert await code_of(held) in {"UNAVAILABLE", "CANCELLED"}
        ratings.open.set()


async def test_a_port_in_use_is_an_error_with_a_remedy(app: Live, stores: Stores) -> None:
    with pytest.raises(SettingsError, match="Choose another --address"):
        async with live(stores, address=app.server.address):
            pass
