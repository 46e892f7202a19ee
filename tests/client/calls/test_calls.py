"""What the client sends, and how often: request ids, retries, pages, metadata."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_client import AsyncClient, Client, Filter, NewRating, Rating, errors
from foldin_client.values import Personalization
from scripted import Scripted, scripted_server, unavailable


def test_a_retried_write_keeps_its_request_id(server: Scripted) -> None:
    stored = pb.SubmitRatingResponse(user_revision=5)
    server.script("SubmitRating", unavailable(), unavailable(), stored)
    with Client(server.address) as client:
        written = client.submit_rating("1", "2", 4.5)
    sent = [pb.SubmitRatingRequest.FromString(data) for data in server.sent("SubmitRating")]
    assert len(sent) == 3
    assert {request.request_id for request in sent} == {written.request_id}
    assert UUID(written.request_id).version == 4
    assert written.user_revision == 5


def test_every_write_carries_a_request_id_of_its_own(server: Scripted) -> None:
    server.script("SubmitRating", pb.SubmitRatingResponse())
    server.script("DeleteRating", pb.DeleteRatingResponse())
    result = pb.BatchSubmitRatingsResponse.Result(response=pb.SubmitRatingResponse())
    server.script("BatchSubmitRatings", pb.BatchSubmitRatingsResponse(results=[result, result]))
    with Client(server.address) as client:
        ids = [
            client.submit_rating("1", "2", 4.5).request_id,
            client.delete_rating("1", "2").request_id,
            client.delete_rating("1", "2").request_id,
        ]
        client.batch_submit_ratings([NewRating("1", "2", 3.0), NewRating("1", "3", 3.0)])
    batch = pb.BatchSubmitRatingsRequest.FromString(server.sent("BatchSubmitRatings")[0])
    ids += [request.request_id for request in batch.requests]
    assert len({UUID(text) for text in ids}) == 5


def test_a_given_request_id_and_time_are_sent(server: Scripted) -> None:
    server.script("SubmitRating", pb.SubmitRatingResponse(replayed=True))
    moment = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    request_id = "7b0f9d0e-6e7a-4a0b-9d52-1a2b3c4d5e6f"
    with Client(server.address) as client:
        client.submit_rating("1", "2", 4.5, event_time=moment, request_id=request_id)
    request = pb.SubmitRatingRequest.FromString(server.sent("SubmitRating")[0])
    assert request.request_id == request_id
    assert request.event_time.ToMicroseconds() == 1_714_979_289_123_456


def test_reads_are_retried(server: Scripted) -> None:
    server.script("Recommend", unavailable("MODEL_NOT_READY"), pb.RecommendResponse())
    with Client(server.address) as client:
        client.recommend("1")
    assert len(server.sent("Recommend")) == 2


def test_the_asynchronous_client_retries_as_well(server: Scripted) -> None:
    server.script("Recommend", unavailable("MODEL_NOT_READY"), pb.RecommendResponse())

    async def ask() -> None:
        async with AsyncClient(server.address) as client:
            await client.recommend("1")

    asyncio.run(ask())
    assert len(server.sent("Recommend")) == 2


def test_an_activation_is_sent_once(server: Scripted) -> None:
    server.script("ActivateModel", unavailable(), model_pb2.ActivateModelResponse(epoch=2))
    with Client(server.address) as client, pytest.raises(errors.StoreUnavailable):
        client.activate_model("v1", epoch=1)
    assert len(server.sent("ActivateModel")) == 1


def test_a_rollback_activates_the_previous_version_at_the_epoch_it_saw(server: Scripted) -> None:
    models = model_pb2.ListModelsResponse(epoch=7, current_version="b", previous_version="a")
    server.script("ListModels", models)
    server.script("ActivateModel", model_pb2.ActivateModelResponse(epoch=8, current_version="a"))
    with Client(server.address) as client:
        assert client.rollback().current_version == "a"
    request = model_pb2.ActivateModelRequest.FromString(server.sent("ActivateModel")[0])
    assert (request.version, request.epoch) == ("a", 7)


def test_a_rollback_without_a_previous_version_is_version_not_found(server: Scripted) -> None:
    server.script("ListModels", model_pb2.ListModelsResponse(epoch=7, current_version="b"))
    with Client(server.address) as client, pytest.raises(errors.VersionNotFound):
        client.rollback()


def test_calls_go_to_the_servers_in_turn() -> None:
    with scripted_server() as one, scripted_server() as two:
        for server in (one, two):
            server.script("GetItem", catalog_pb2.GetItemResponse())
        with Client(f"{one.address},{two.address}") as client:
            # The second connection may open a moment after the first.
            while not (one.requests and two.requests):
                client.get_item("1")
            before = len(one.requests), len(two.requests)
            for _ in range(10):
                client.get_item("1")
        assert len(one.requests) - before[0] == 5
        assert len(two.requests) - before[1] == 5


def test_several_host_names_are_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="dns:///"):
        Client("one:50051,two:50051")


def test_pages_are_fetched_until_the_last(server: Scripted) -> None:
    pages = [
        pb.RecommendResponse(items=[ratings_pb2.ScoredItem(item_id=item)], next_page_token=token)
        for item, token in (("a", "1"), ("b", "2"), ("c", ""))
    ]
    server.script("Recommend", *pages)
    with Client(server.address) as client:
        ids = [
            item.item_id
            for page in client.recommend_pages("1", page_size=1, filter=Filter(min_year=1990))
            for item in page.items
        ]
    requests = [pb.RecommendRequest.FromString(data) for data in server.sent("Recommend")]
    assert ids == ["a", "b", "c"]
    assert [request.page_token for request in requests] == ["", "1", "2"]
    assert {request.filter.min_year for request in requests} == {1990}


def test_the_asynchronous_client_iterates_over_pages_too(server: Scripted) -> None:
    server.script(
        "ListItems",
        catalog_pb2.ListItemsResponse(items=[catalog_pb2.Item(item_id="a")], next_page_token="1"),
        catalog_pb2.ListItemsResponse(items=[catalog_pb2.Item(item_id="b")]),
    )

    async def collect() -> list[str]:
        async with AsyncClient(server.address) as client:
            return [
                item.item_id async for page in client.list_items_pages("x") for item in page.items
            ]

    assert asyncio.run(collect()) == ["a", "b"]


def test_arguments_reach_the_request(server: Scripted) -> None:
    server.script("Recommend", pb.RecommendResponse())
    conditions = Filter(include_genres=("Drama",), exclude_item_ids=("5",), max_year=0)
    with Client(server.address) as client:
        client.recommend(
            "1",
            page_size=3,
            filter=conditions,
            diversity=0.5,
            max_per_cluster=2,
            explain=True,
            max_reasons=4,
            min_user_revision=9,
            require_known_user=True,
            profile=[Rating("8", 4.0)],
        )
    request = pb.RecommendRequest.FromString(server.sent("Recommend")[0])
    assert request.filter.include_genres == ["Drama"]
    assert request.filter.HasField("max_year")
    assert not request.filter.HasField("min_year")
    assert (request.diversity.strength, request.diversity.max_per_cluster) == (0.5, 2)
    assert request.include_explanations
    assert request.max_reasons == 4
    assert request.min_user_revision == 9
    assert request.require_known_user
    assert [(r.item_id, r.value) for r in request.profile.ratings] == [("8", 4.0)]


def test_responses_become_values(server: Scripted) -> None:
    item = ratings_pb2.ScoredItem(
        item_id="a",
        title="A",
        predicted_rating=0.0,
        source=ratings_pb2.SOURCE_POPULAR,
        reasons=[ratings_pb2.Reason(item_id="b", title="B", contribution=0.5)],
    )
    info = ratings_pb2.ServingInfo(
        model_version="v1", personalization=ratings_pb2.PERSONALIZATION_FOLDED_IN, user_revision=4
    )
    info.model_time.FromSeconds(60)
    server.script("Recommend", pb.RecommendResponse(items=[item], serving_info=info))
    with Client(server.address) as client:
        page = client.recommend("1")
    (first,) = page.items
    assert first.predicted_rating == 0.0
    assert first.year is None
    assert first.source == "popular"
    assert first.reasons[0].title == "B"
    assert page.serving_info.personalization is Personalization.FOLDED_IN
    assert page.serving_info.model_time == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


def test_metadata_goes_with_every_call(server: Scripted) -> None:
    server.script("GetItem", catalog_pb2.GetItemResponse())
    with Client(server.address, metadata={"authorization": "Bearer x"}) as client:
        client.with_options(metadata={"x-tenant": "t"}).get_item("1")
    assert server.metadata[0]["authorization"] == "Bearer x"
    assert server.metadata[0]["x-tenant"] == "t"
