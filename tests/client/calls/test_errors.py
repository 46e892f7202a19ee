"""A failed call raises the error class of the server's reason, with all its details."""

import asyncio
import pickle

import grpc
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_client import AsyncClient, Client, FoldinError, NewRating, Query, errors
from foldin_client.calls.statuses import error_of_status
from scripted import Scripted, invalid, item_not_found, status, unavailable


def test_the_reason_chooses_the_error_class(server: Scripted) -> None:
    server.script("GetItem", item_not_found("7"))
    with Client(server.address) as client, pytest.raises(errors.ItemNotFound) as caught:
        client.get_item("7")
    assert caught.value.name == "7"
    assert caught.value.resource_type == "foldin.v1.Item"
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.metadata == {"limit": "5"}
    assert str(caught.value) == "no item '7'"


def test_the_asynchronous_client_raises_the_same(server: Scripted) -> None:
    server.script("GetItem", item_not_found("7"))

    async def ask() -> None:
        async with AsyncClient(server.address) as client:
            await client.get_item("7")

    with pytest.raises(errors.ItemNotFound, match="no item '7'"):
        asyncio.run(ask())


def test_refused_fields_are_listed(server: Scripted) -> None:
    server.script("SubmitRating", invalid("value", "user_id"))
    with Client(server.address) as client, pytest.raises(errors.InvalidField) as caught:
        client.submit_rating("1", "2", 9.0)
    assert [violation.field for violation in caught.value.violations] == ["value", "user_id"]


def test_the_retry_delay_of_the_server_is_in_the_error(server: Scripted) -> None:
    server.script("ActivateModel", unavailable())
    with Client(server.address) as client, pytest.raises(errors.StoreUnavailable) as caught:
        client.activate_model("v1")
    assert caught.value.retry_after_ms == 1_000


def test_an_address_without_a_server_is_unreachable() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(errors.Unreachable):
        client.get_serving_model()


def test_a_passed_deadline_is_deadline_exceeded(server: Scripted) -> None:
    server.script("Recommend", status(grpc.StatusCode.DEADLINE_EXCEEDED, "too late"))
    with Client(server.address) as client, pytest.raises(errors.DeadlineExceeded):
        client.recommend("1")


def test_reasons_of_other_domains_and_unknown_reasons_keep_their_code() -> None:
    foreign = status(grpc.StatusCode.NOT_FOUND, "?", "ITEM_NOT_FOUND", domain="elsewhere.org")
    unknown = status(grpc.StatusCode.ABORTED, "?", "SOMETHING_NEW")
    for message, code, reason in (
        (foreign, "NOT_FOUND", "ITEM_NOT_FOUND"),
        (unknown, "ABORTED", "SOMETHING_NEW"),
        (status(grpc.StatusCode.UNIMPLEMENTED, "?"), "UNIMPLEMENTED", "UNIMPLEMENTED"),
    ):
        error = error_of_status(message)
        assert type(error) is FoldinError
        assert (error.code, error.reason) == (code, reason)


def test_each_entry_of_a_batch_has_its_own_outcome(server: Scripted) -> None:
    stored = pb.BatchSubmitRatingsResponse.Result(response=pb.SubmitRatingResponse(user_revision=3))
    refused = pb.BatchSubmitRatingsResponse.Result(error=item_not_found("9"))
    server.script("BatchSubmitRatings", pb.BatchSubmitRatingsResponse(results=[stored, refused]))
    listed = pb.BatchRecommendResponse.Result(response=pb.RecommendResponse(next_page_token="t"))
    failed = pb.BatchRecommendResponse.Result(error=unavailable())
    server.script("BatchRecommend", pb.BatchRecommendResponse(results=[listed, failed]))
    with Client(server.address) as client:
        first, second = client.batch_submit_ratings(
            [NewRating("1", "8", 4.0), NewRating("1", "9", 4.0)]
        )
        page, error = client.batch_recommend([Query("1"), Query("2")])
    assert not isinstance(first, FoldinError)
    assert first.user_revision == 3
    assert isinstance(second, errors.ItemNotFound)
    assert not isinstance(page, FoldinError)
    assert page.next_page_token == "t"
    assert isinstance(error, errors.StoreUnavailable)


def test_errors_can_be_pickled() -> None:
    error = error_of_status(invalid("value"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is errors.InvalidField
    assert again.violations == error.violations
