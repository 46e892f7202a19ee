"""Every unary call passes the door twice on its way in and once on its way out."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import grpc
import pytest
from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.errors import ScopeMissing, StoreUnavailable, TokenInvalid
from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.admission.step import Step
from foldin_server.process import assembly
from foldin_server.process.stores import Stores
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from planted import Planted
from server.faults import Gate
from server.live import (
    Live,
    code_of,
    failure,
    hold_places,
    import_histories,
    in_flight,
    live,
    publish_version,
)

RECOMMENDATION = "/foldin.v1.RecommendationService/"
CATALOG = "/foldin.v1.CatalogService/"
MODEL = "/foldin.v1.ModelService/"


class Sent(NamedTuple):
    """A request of a method, its cost, and the users that it names."""

    request: Message
    cost: int = 1
    user_ids: tuple[str, ...] = ()


ONE, TWO = pb.RecommendRequest(user_id="1"), pb.RecommendRequest(user_id="2", page_size=3)
RATING = pb.SubmitRatingRequest(user_id="1", item_id="101", value=3.0)
NEW = catalog_pb2.NewItem(item_id="new", title="New", genres=["Drama"])
REQUESTS = {
    RECOMMENDATION + "Recommend": Sent(ONE, 1, ("1",)),
    RECOMMENDATION + "BatchRecommend": Sent(
        pb.BatchRecommendRequest(requests=[ONE, TWO, ONE]), 3, ("1", "2", "1")
    ),
    RECOMMENDATION + "SimilarItems": Sent(pb.SimilarItemsRequest(item_id="101")),
    RECOMMENDATION + "SubmitRating": Sent(RATING, 1, ("1",)),
    RECOMMENDATION + "BatchSubmitRatings": Sent(
        pb.BatchSubmitRatingsRequest(requests=[RATING, RATING]), 2, ("1", "1")
    ),
    RECOMMENDATION + "DeleteRating": Sent(
        pb.DeleteRatingRequest(user_id="1", item_id="101"), 1, ("1",)
    ),
    RECOMMENDATION + "PredictRatings": Sent(
        pb.PredictRatingsRequest(user_id="1", item_ids=["101", "102"]), 2, ("1",)
    ),
    RECOMMENDATION + "GetUserState": Sent(pb.GetUserStateRequest(user_id="1"), 1, ("1",)),
    CATALOG + "GetItem": Sent(catalog_pb2.GetItemRequest(item_id="101")),
    CATALOG + "ListItems": Sent(catalog_pb2.ListItemsRequest()),
    CATALOG + "ListItemClusters": Sent(catalog_pb2.ListItemClustersRequest()),
    CATALOG + "ListPopularItems": Sent(catalog_pb2.ListPopularItemsRequest()),
    CATALOG + "SetItemAvailability": Sent(
        catalog_pb2.SetItemAvailabilityRequest(item_ids=["101", "102"], available=True), 2
    ),
    MODEL + "GetServingModel": Sent(model_pb2.GetServingModelRequest()),
    MODEL + "ListModels": Sent(model_pb2.ListModelsRequest()),
}


class Recorder(Step):
    """Notes what it sees of every call, and refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.arrived: list[Call] = []
        self.weighed: list[tuple[str, int, tuple[str, ...]]] = []
        self.left: list[Call] = []
        self.token: str | None = None
        self.own_user: str | None = None
        self.leaving_fails = False

    def arrive(self, call: Call) -> None:
        self.arrived.append(call)
        if self.token is not None and ("authorization", self.token) not in call.metadata:
            raise TokenInvalid("no token; send authorization")

    def weigh(self, call: Call, user_ids: Sequence[str]) -> None:
        self.weighed.append((call.method, call.cost or 0, tuple(user_ids)))
        if self.own_user is not None and set(user_ids) - {self.own_user}:
            raise ScopeMissing("the token is of another user")

    def leave(self, call: Call) -> None:
        self.left.append(call)
        if self.leaving_fails:
            raise RuntimeError("no room for the record")


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(assembly, "Door", lambda *steps: Door(*steps, made))
    return made


@pytest.fixture
async def guarded(small: Planted, stores: Stores, recorder: Recorder) -> AsyncIterator[Live]:
    """A server whose door has one more step."""
    assert recorder.arrived == []
    publish_version(small, stores.models)
    await import_histories(small, stores.ratings, ["1", "2"])
    async with live(stores) as running:
        yield running
    stores.models.close()


async def raw(app: Live, path: str, request: bytes, **options: Any) -> bytes:
    channel: Any = app.channel
    answer: bytes = await channel.unary_unary(path)(request, **options)
    return answer


def contract() -> set[str]:
    """The paths of every unary method of the contract."""
    return {
        f"/{service.full_name}/{method.name}"
        for file in (pb, catalog_pb2, model_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


async def test_every_method_passes_both_moments(guarded: Live, recorder: Recorder) -> None:
    others = {
        CATALOG + "UpsertItems": Sent(catalog_pb2.UpsertItemsRequest(items=[NEW])),
        MODEL + "ActivateModel": Sent(
            model_pb2.ActivateModelRequest(version=guarded.server.snapshots.serving().version)
        ),
    }
    requests = REQUESTS | others
    assert set(requests) == contract()
    for path, sent in requests.items():
        request, name = sent.request.SerializeToString(), path.rpartition("/")[2]
        await raw(guarded, path, request, timeout=60, metadata=(("x-plan", "gold"),))
        call = recorder.arrived.pop()
        assert (call.method, call.byte_count) == (name, len(request))
        assert ("x-plan", "gold") in [(key, value) for key, value in call.metadata]
        assert "127.0.0.1" in call.peer
        assert 0 < call.deadline.capped(100) < 70  # the libraries round what they send
        assert recorder.weighed == [(name, sent.cost, sent.user_ids)]
        assert recorder.left.pop() is call
        assert (recorder.arrived, recorder.left) == ([], [])
        recorder.weighed.clear()


async def test_a_step_refuses_a_call_before_its_request_is_parsed(
    guarded: Live, recorder: Recorder
) -> None:
    recorder.token = "secret"
    for path in [*contract(), "/grpc.health.v1.Health/Check"]:
        failed = await failure(raw(guarded, path, b"\xff no message"))
        assert (failed.code, failed.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert recorder.weighed == []
    metadata = (("authorization", "secret"),)
    assert await raw(
        guarded, RECOMMENDATION + "Recommend", ONE.SerializeToString(), metadata=metadata
    )


@pytest.mark.parametrize(
    ("name", "request_of_two"),
    [
        ("BatchRecommend", pb.BatchRecommendRequest(requests=[ONE, TWO])),
        ("Recommend", TWO),
        ("Recommend", pb.RecommendRequest(user_id="2", filter=ratings_pb2.ItemFilter(min_year=1))),
        (
            "BatchSubmitRatings",
            pb.BatchSubmitRatingsRequest(
                requests=[RATING, pb.SubmitRatingRequest(user_id="2", item_id="102", value=1.0)]
            ),
        ),
    ],
    ids=["a batch", "a plain list", "any list", "a batch of writes"],
)
async def test_a_step_refuses_a_parsed_call_before_any_work(
    guarded: Live, recorder: Recorder, ratings: Gate, name: str, request_of_two: Message
) -> None:
    before = await guarded.recommend("1")
    recorder.own_user = "1"
    failed = await failure(raw(guarded, RECOMMENDATION + name, request_of_two.SerializeToString()))
    assert (failed.code, failed.reason) == ("PERMISSION_DENIED", "SCOPE_MISSING")
    after = await guarded.recommend("1")
    assert after.serving_info.user_revision == before.serving_info.user_revision
    assert not ratings.gone


async def test_a_refused_call_holds_no_place(guarded: Live, recorder: Recorder) -> None:
    recorder.token = "secret"
    await failure(guarded.recommend("1"))
    recorder.token, recorder.own_user = None, "1"
    await failure(guarded.recommend("2"))
    metrics = guarded.server.metrics.registry
    assert metrics.get_sample_value("foldin_in_flight_calls") == 0
    assert len(recorder.left) == 2


async def test_a_full_server_refuses_only_after_the_steps_before_the_place(
    small: Planted, stores: Stores, ratings: Gate, recorder: Recorder
) -> None:
    publish_version(small, stores.models)
    async with live(stores, max_in_flight=1) as app, hold_places(app, ratings, 1):
        recorder.arrived.clear()
        recorder.token = "secret"
        request = ONE.SerializeToString()
        failed = await failure(raw(app, RECOMMENDATION + "Recommend", request))
        assert failed.reason == "TOKEN_INVALID"
        metadata = (("authorization", "secret"),)
        failed = await failure(raw(app, RECOMMENDATION + "Recommend", request, metadata=metadata))
        assert failed.reason == "OVERLOADED"
        assert recorder.left == recorder.arrived
        assert [call.code for call in recorder.left] == ["UNAUTHENTICATED", "RESOURCE_EXHAUSTED"]
        assert [call.byte_count for call in recorder.left] == [len(request)] * 2
        recorder.token = None


async def test_a_handler_that_does_not_weigh_its_calls_fails(
    guarded: Live, monkeypatch: pytest.MonkeyPatch, recorder: Recorder
) -> None:
    monkeypatch.setattr(Door, "weigh", lambda *_: None)
    failed = await failure(raw(guarded, MODEL + "ListModels", b""))
    assert (failed.code, failed.reason) == ("INTERNAL", "INTERNAL")
    assert recorder.weighed == []


async def test_health_and_reflection_pass_arrival_alone(guarded: Live, recorder: Recorder) -> None:
    health: Any = health_pb2_grpc.HealthStub(guarded.channel)
    assert await guarded.health() == "SERVING"
    watching = health.Watch(health_pb2.HealthCheckRequest())
    assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
    watching.cancel()
    make_stub: Any = reflection_pb2_grpc.ServerReflectionStub
    reflection = make_stub(guarded.channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in reflection.ServerReflectionInfo(iter([asked])):
        assert answer.list_services_response.service
    names = [call.method for call in recorder.arrived]
    assert names == ["Check", "Watch", "ServerReflectionInfo"]
    assert recorder.weighed == []
    recorder.token = "secret"
    assert await code_of(guarded.health()) == "UNAUTHENTICATED"
    for refused in (
        health.Watch(health_pb2.HealthCheckRequest()),
        reflection.ServerReflectionInfo(iter([asked])),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await anext(aiter(refused))
        assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("error", [RuntimeError("secret"), StoreUnavailable("gone")])
async def test_a_stream_that_fails_midway_ends_like_any_failed_call(
    guarded: Live, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Lost(dict[str, int]):
        def get(self, *_: object) -> Any:
            raise error

    stub: Any = health_pb2_grpc.HealthStub(guarded.channel)
    watching = stub.Watch(health_pb2.HealthCheckRequest())
    await watching.read()
    health = guarded.server.parts.health
    monkeypatch.setattr(health, "_statuses", Lost())
    health._wake_watchers()
    failed = await failure(watching.read())
    expected = "UNAVAILABLE" if isinstance(error, StoreUnavailable) else "INTERNAL"
    assert failed.code == expected
    assert "secret" not in failed.status.message
    assert "x-request-id" in dict(await watching.trailing_metadata())
    assert [call.code for call in recorder.left] == [expected]


async def test_a_step_that_fails_at_the_end_keeps_no_caller_waiting(
    guarded: Live, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.leaving_fails = True
    assert (await guarded.recommend("1", 3)).items
    assert (await failure(guarded.recommend(""))).reason == "INVALID_FIELD"
    assert await guarded.health() == "SERVING"
    recorder.leaving_fails = False
    assert in_flight(guarded) == 0
    assert {record.message for record in caplog.records} == {"leave_failed"}
