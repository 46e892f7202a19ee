"""Writes are answered when stored, and count once for a request id; batch entries fail alone."""

from uuid import uuid4

import pytest
from foldin.v1 import recommendation_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from server.live import Live, ids

pytestmark = pytest.mark.parametrize("backend", ["memory", "redis"])


async def test_a_rating_is_stored_when_it_is_answered(app: Live) -> None:
    rated = await app.rate("new", "101", 4.0)
    answer = await app.recommend("new", min_user_revision=rated.user_revision)
    assert rated.serving_info.user_revision == rated.user_revision
    assert rated.serving_info.model_version == answer.serving_info.model_version
    assert answer.serving_info.user_revision == rated.user_revision
    assert "101" not in ids(answer)


async def test_a_request_sent_again_gets_the_same_answer(app: Live) -> None:
    request_id = str(uuid4())
    first = await app.rate("new", "101", 4.0, request_id=request_id)
    again = await app.rate("new", "101", 4.0, request_id=request_id.upper())
    assert not first.replayed
    assert again.replayed
    assert again.user_revision == first.user_revision


async def test_an_older_rating_is_superseded(app: Live) -> None:
    now = await app.rate("new", "101", 4.0)
    old = await app.rate("new", "101", 1.0, event_time=Timestamp(seconds=1_000_000_000))
    assert old.superseded
    assert old.user_revision == now.user_revision
    state = await app.recommendations.GetUserState(pb.GetUserStateRequest(user_id="new"))
    assert [rated.rating.value for rated in state.ratings] == [4.0]


async def test_revisions_of_a_user_rise(app: Live) -> None:
    revisions = [(await app.rate("new", str(item), 4.0)).user_revision for item in range(101, 106)]
    assert revisions == sorted(set(revisions))


async def test_a_batch_stores_each_entry_alone_and_those_of_one_user_in_order(app: Live) -> None:
    entries = [
        pb.SubmitRatingRequest(user_id="a", item_id="101", value=1.0),
        pb.SubmitRatingRequest(user_id="a", item_id="nil", value=1.0),
        pb.SubmitRatingRequest(user_id="b", item_id="101", value=99.0),
        pb.SubmitRatingRequest(user_id="a", item_id="101", value=5.0),
        pb.SubmitRatingRequest(user_id="b", item_id="102", value=2.0),
    ]
    answer = await app.recommendations.BatchSubmitRatings(
        pb.BatchSubmitRatingsRequest(requests=entries)
    )
    kinds = [result.WhichOneof("result") for result in answer.results]
    assert kinds == ["response", "error", "error", "response", "response"]
    assert answer.results[1].error.code == 5  # NOT_FOUND
    assert answer.results[2].error.code == 3  # INVALID_ARGUMENT
    state = await app.recommendations.GetUserState(pb.GetUserStateRequest(user_id="a"))
    assert [rated.rating.value for rated in state.ratings] == [5.0]


async def test_a_rating_that_does_not_exist_can_be_deleted(app: Live) -> None:
    deletion = pb.DeleteRatingRequest(user_id="new", item_id="nil", request_id=str(uuid4()))
    first = await app.recommendations.DeleteRating(deletion)
    again = await app.recommendations.DeleteRating(deletion)
    assert again.replayed
    assert again.user_revision == first.user_revision
