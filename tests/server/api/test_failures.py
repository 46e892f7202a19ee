"""Every failure of the contract has exactly its status, its reason and its details."""

import asyncio
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.ids import UserId
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.memory.ratings import MemoryRatingStore
from foldin_model.store.write_rule import Limits
from foldin_server.process.stores import Stores
from google.protobuf.timestamp_pb2 import Timestamp
from planted import Planted
from server.faults import Gate
from server.live import Live, failure, import_histories, live, publish_version, settled, until

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
NAN = float("nan")


def rating(**fields: Any) -> pb.SubmitRatingRequest:
    return pb.SubmitRatingRequest(**{"user_id": "1", "item_id": "101", "value": 3.0, **fields})


OUTSIDE: Final[list[tuple[str, Any, list[str]]]] = [
    ("Recommend", pb.RecommendRequest(), ["user_id"]),
    ("Recommend", pb.RecommendRequest(user_id="x" * 257), ["user_id"]),
    ("Recommend", pb.RecommendRequest(user_id="é" * 129), ["user_id"]),
    ("Recommend", pb.RecommendRequest(user_id="a\x07"), ["user_id"]),
    ("Recommend", pb.RecommendRequest(user_id="a\x85"), ["user_id"]),
    ("Recommend", pb.RecommendRequest(user_id="1", page_size=-1), ["page_size"]),
    ("Recommend", pb.RecommendRequest(user_id="1", max_reasons=-1), ["max_reasons"]),
    (
        "Recommend",
        pb.RecommendRequest(user_id="1", min_user_revision=-1),
        ["min_user_revision"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(user_id="1", diversity=pb.Diversity(strength=1.5)),
        ["diversity.strength"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(user_id="1", diversity=pb.Diversity(strength=NAN)),
        ["diversity.strength"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(user_id="1", diversity=pb.Diversity(max_per_cluster=-1)),
        ["diversity.max_per_cluster"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(
            user_id="1", filter=ratings_pb2.ItemFilter(min_year=2000, max_year=1999)
        ),
        ["filter.min_year"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(
            user_id="1", filter=ratings_pb2.ItemFilter(exclude_item_ids=["7"] * 1001)
        ),
        ["filter.exclude_item_ids"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(
            user_id="1", filter=ratings_pb2.ItemFilter(candidate_item_ids=["7", ""])
        ),
        ["filter.candidate_item_ids[1]"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(
            profile=pb.Profile(ratings=[ratings_pb2.Rating(item_id="101", value=9.0)])
        ),
        ["profile.ratings[0].value"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(
            require_known_user=True,
            profile=pb.Profile(ratings=[ratings_pb2.Rating(item_id="101", value=3.0)]),
        ),
        ["user_id"],
    ),
    (
        "Recommend",
        pb.RecommendRequest(user_id="", page_size=-5, max_reasons=-2),
        ["max_reasons", "user_id", "page_size"],
    ),
    ("SimilarItems", pb.SimilarItemsRequest(), ["item_id"]),
    ("SubmitRating", pb.SubmitRatingRequest(user_id="1", item_id="101"), ["value"]),
    ("SubmitRating", rating(value=5.5), ["value"]),
    ("SubmitRating", rating(value=0.0), ["value"]),
    ("SubmitRating", rating(value=NAN), ["value"]),
    ("SubmitRating", rating(value=float("inf")), ["value"]),
    ("SubmitRating", rating(request_id="42"), ["request_id"]),
    ("SubmitRating", rating(request_id=f"{{{UUID}}}"), ["request_id"]),
    ("SubmitRating", rating(event_time=Timestamp(nanos=-1)), ["event_time"]),
    ("SubmitRating", rating(event_time=Timestamp(seconds=10**12)), ["event_time"]),
    ("SubmitRating", rating(event_time=Timestamp(seconds=10**11)), ["event_time"]),
    ("SubmitRating", rating(event_time=Timestamp(seconds=-1)), ["event_time"]),
    ("DeleteRating", pb.DeleteRatingRequest(item_id="101"), ["user_id"]),
    (
        "DeleteRating",
        pb.DeleteRatingRequest(user_id="1", item_id="101", event_time=Timestamp(seconds=-1)),
        ["event_time"],
    ),
    ("PredictRatings", pb.PredictRatingsRequest(user_id="1"), ["item_ids"]),
    (
        "PredictRatings",
        pb.PredictRatingsRequest(user_id="1", item_ids=["1"] * 1001),
        ["item_ids"],
    ),
    ("GetUserState", pb.GetUserStateRequest(user_id="1", max_ratings=-1), ["max_ratings"]),
    (
        "BatchRecommend",
        pb.BatchRecommendRequest(requests=[pb.RecommendRequest()] * 101),
        ["requests"],
    ),
    (
        "BatchSubmitRatings",
        pb.BatchSubmitRatingsRequest(requests=[rating()] * 1001),
        ["requests"],
    ),
]


async def test_a_field_outside_its_limits_is_named(app: Live) -> None:
    for method, request, fields in OUTSIDE:
        failed = await failure(getattr(app.recommendations, method)(request))
        assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
        assert (method, failed.fields) == (method, fields)


async def test_of_very_many_violations_the_first_are_named(app: Live) -> None:
    hidden = ratings_pb2.ItemFilter(exclude_item_ids=[""] * 1000)
    failed = await failure(app.recommend("1", filter=hidden))
    assert failed.reason == "INVALID_FIELD"
    assert failed.fields[:2] == ["filter.exclude_item_ids[0]", "filter.exclude_item_ids[1]"]


async def test_a_catalog_field_outside_its_limits_is_named(app: Live) -> None:
    listed = await failure(app.catalog.ListItems(catalog_pb2.ListItemsRequest(page_size=-1)))
    clusters = catalog_pb2.ListItemClustersRequest(max_items=-1)
    assert listed.fields == ["page_size"]
    assert (await failure(app.catalog.ListItemClusters(clusters))).fields == ["max_items"]


async def test_a_request_id_belongs_to_one_request(app: Live) -> None:
    await app.recommendations.SubmitRating(rating(request_id=UUID))
    failed = await failure(app.recommendations.SubmitRating(rating(request_id=UUID, value=4.0)))
    assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")


async def test_a_corrupt_page_token_is_refused(app: Live) -> None:
    token = (await app.recommend("1")).next_page_token
    for broken in ("x", token[:-2], token[:20] + ("A" if token[20] != "A" else "B") + token[21:]):
        failed = await failure(app.recommend("1", page_token=broken))
        assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID")


async def test_a_page_token_belongs_to_its_arguments(app: Live) -> None:
    token = (await app.recommend("1")).next_page_token
    failed = await failure(app.recommend("2", page_token=token))
    assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_MISMATCH")
    similar = pb.SimilarItemsRequest(item_id="101", page_token=token)
    failed = await failure(app.recommendations.SimilarItems(similar))
    assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_MISMATCH")


async def test_a_page_token_of_a_retired_model_has_expired(
    small: Planted, other: Planted, stores: Stores
) -> None:
    publish_version(small, stores.models)
    async with live(stores, retire_after_s=0) as app:
        token = (await app.recommend("1")).next_page_token
        publish_version(other, stores.models)
        await app.server.snapshots.refresh()
        failed = await failure(app.recommend("1", page_token=token))
    assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "PAGE_TOKEN_EXPIRED")


async def test_an_unknown_item_is_named(app: Live) -> None:
    for call in (
        app.recommendations.SimilarItems(pb.SimilarItemsRequest(item_id="nil")),
        app.recommendations.SubmitRating(rating(item_id="nil")),
        app.recommendations.PredictRatings(
            pb.PredictRatingsRequest(user_id="1", item_ids=["101", "nil"])
        ),
        app.catalog.GetItem(catalog_pb2.GetItemRequest(item_id="nil")),
    ):
        failed = await failure(call)
        assert (failed.code, failed.reason) == ("NOT_FOUND", "ITEM_NOT_FOUND")
        assert failed.resource == ("foldin.v1.Item", "nil")


async def test_an_unknown_user_is_not_found_if_a_known_one_is_required(app: Live) -> None:
    failed = await failure(app.recommend("stranger", require_known_user=True))
    assert (failed.code, failed.reason) == ("NOT_FOUND", "USER_NOT_FOUND")
    assert failed.resource == ("foldin.v1.User", "stranger")


async def test_a_history_can_be_full(small: Planted, tmp_path: Path) -> None:
    models = MemoryModelStore()
    ratings = MemoryRatingStore(models, limits=Limits(max_ratings=2))
    publish_version(small, models)
    async with live(Stores(ratings, models, tmp_path)) as app:
        for item in ("101", "102"):
            await app.rate("new", item, 4.0)
        failed = await failure(app.rate("new", "103", 4.0))
    assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "HISTORY_FULL")


NEEDING_A_MODEL: Final[list[tuple[str, str, Any]]] = [
    ("recommendations", "Recommend", pb.RecommendRequest(user_id="1")),
    ("recommendations", "SimilarItems", pb.SimilarItemsRequest(item_id="1")),
    ("recommendations", "SubmitRating", rating()),
    ("recommendations", "DeleteRating", pb.DeleteRatingRequest(user_id="1", item_id="1")),
    ("recommendations", "BatchRecommend", pb.BatchRecommendRequest()),
    ("recommendations", "BatchSubmitRatings", pb.BatchSubmitRatingsRequest()),
    ("recommendations", "PredictRatings", pb.PredictRatingsRequest(user_id="1")),
    ("recommendations", "GetUserState", pb.GetUserStateRequest(user_id="1")),
    ("catalog", "GetItem", catalog_pb2.GetItemRequest(item_id="1")),
    ("catalog", "ListItems", catalog_pb2.ListItemsRequest()),
    ("catalog", "ListItemClusters", catalog_pb2.ListItemClustersRequest()),
    ("catalog", "ListPopularItems", catalog_pb2.ListPopularItemsRequest()),
    ("models", "GetServingModel", model_pb2.GetServingModelRequest()),
]


async def test_without_a_model_nothing_is_answered_yet(stores: Stores) -> None:
    async with live(stores) as app:
        for service, method, request in NEEDING_A_MODEL:
            failed = await failure(getattr(getattr(app, service), method)(request))
            assert (failed.code, failed.reason) == ("UNAVAILABLE", "MODEL_NOT_READY"), method
            assert failed.retry_ms > 0
        assert await app.health() == "NOT_SERVING"


async def test_too_many_calls_in_flight_are_refused_at_once(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    async with live(stores, max_in_flight=2) as app:
        ratings.open.clear()
        held = [asyncio.ensure_future(app.recommend("1")) for _ in range(2)]
        await until(lambda: ratings.asked >= 2)
        failed = await failure(app.recommend("1"))
        ratings.open.set()
        await asyncio.gather(*held)
        await app.recommend("1")
    assert (failed.code, failed.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert failed.retry_ms > 0


async def test_a_revision_that_does_not_come_is_not_visible(app: Live) -> None:
    revision = (await app.rate("1", "101", 4.0)).user_revision
    answer = await app.recommend("1", min_user_revision=revision)
    assert answer.serving_info.user_revision == revision
    failed = await failure(app.recommend("1", min_user_revision=revision + 1))
    assert (failed.code, failed.reason) == ("ABORTED", "REVISION_NOT_VISIBLE")


async def test_a_revision_that_comes_in_time_is_waited_for(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    async with live(stores, revision_wait_ms=5_000) as app:
        revision = (await app.rate("1", "101", 4.0)).user_revision
        waiting = asyncio.ensure_future(app.recommend("1", min_user_revision=revision + 1))
        await until(lambda: ratings.asked >= 4)
        later = await app.rate("1", "102", 4.0)
        assert (await waiting).serving_info.user_revision == later.user_revision


async def test_a_stale_epoch_does_not_activate(other: Planted, app: Live, stores: Stores) -> None:
    version = publish_version(other, stores.models, serve=False)
    epoch = (await app.models.ListModels(model_pb2.ListModelsRequest())).epoch
    stale = model_pb2.ActivateModelRequest(version=version, epoch=epoch + 1)
    failed = await failure(app.models.ActivateModel(stale))
    assert (failed.code, failed.reason) == ("ABORTED", "VERSION_CONFLICT")


async def test_an_unknown_version_does_not_activate(app: Live) -> None:
    failed = await failure(
        app.models.ActivateModel(model_pb2.ActivateModelRequest(version="../nil"))
    )
    assert (failed.code, failed.reason) == ("NOT_FOUND", "VERSION_NOT_FOUND")
    assert failed.resource == ("foldin.v1.Model", "../nil")


async def test_a_damaged_version_does_not_activate(
    other: Planted, app: Live, models: MemoryModelStore
) -> None:
    before = await app.models.GetServingModel(model_pb2.GetServingModelRequest())
    version = publish_version(other, models, serve=False)
    models.put_chunk(version, "items:0", b"\x00" + models.chunk(version, "items:0")[1:][::-1])
    failed = await failure(
        app.models.ActivateModel(model_pb2.ActivateModelRequest(version=version))
    )
    after = await app.models.GetServingModel(model_pb2.GetServingModelRequest())
    assert (failed.code, failed.reason) == ("DATA_LOSS", "ARTIFACT_CORRUPT")
    assert after == before


async def test_a_passed_deadline_stops_the_call(app: Live, ratings: Gate) -> None:
    ratings.open.clear()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await app.recommendations.Recommend(pb.RecommendRequest(user_id="1"), timeout=0.1)
    ratings.open.set()
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_write_is_completed_after_its_caller_has_left(app: Live, ratings: Gate) -> None:
    ratings.open.clear()
    with pytest.raises(grpc.aio.AioRpcError):
        await app.recommendations.SubmitRating(rating(user_id="new"), timeout=0.1)
    ratings.open.set()
    await settled(lambda: app.recommend("new"), lambda a: a.serving_info.rating_count == 1)


async def test_an_unexpected_failure_reveals_no_internals(
    app: Live, ratings: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    ratings.store = None  # type: ignore[assignment]
    failed = await failure(app.recommend("1"))
    ratings.store = MemoryRatingStore(MemoryModelStore())
    assert (failed.code, failed.reason) == ("INTERNAL", "INTERNAL")
    assert "NoneType" not in failed.status.message
    assert "NoneType" in caplog.text


async def test_entries_of_a_batch_fail_by_themselves(small: Planted, app: Live) -> None:
    await import_histories(small, app.server.store, [UserId("4")])
    entries = [
        pb.RecommendRequest(user_id="4"),
        pb.RecommendRequest(),
        pb.RecommendRequest(user_id="5"),
    ]
    answer = await app.recommendations.BatchRecommend(pb.BatchRecommendRequest(requests=entries))
    assert [result.WhichOneof("result") for result in answer.results] == [
        "response",
        "error",
        "response",
    ]
    assert answer.results[1].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
