"""The handlers of RecommendationService: parse, weigh, call, render."""

# ruff: noqa: N802 (the names are those of the contract)

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from foldin.v1 import recommendation_pb2 as pb
from google.rpc.status_pb2 import Status

from foldin_server.admission.batch_entry import entry_result
from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.recommend.recommender import Recommender
from foldin_server.replies import renderer
from foldin_server.requests import parser, write_parser
from foldin_server.runtime.deadline import Deadline
from foldin_server.versions.snapshots import Snapshots
from foldin_server.writes.rating_writer import RatingWriter

MAX_BATCH_RECOMMEND = 100
MAX_BATCH_SUBMIT = 1_000
Entry = TypeVar("Entry", pb.RecommendRequest, pb.SubmitRatingRequest)
Response = TypeVar("Response")
Result = TypeVar("Result")


class RecommendationService:
    """Recommendations, and the ratings that they follow."""

    def __init__(
        self,
        door: Door,
        snapshots: Snapshots,
        recommender: Recommender,
        rating_writer: RatingWriter,
    ) -> None:
        self._door = door
        self._snapshots = snapshots
        self._recommender = recommender
        self._rating_writer = rating_writer

    async def Recommend(self, request: pb.RecommendRequest, call: Call) -> pb.RecommendResponse:
        """Returns the items that a user would like best."""
        arguments = parser.recommend_arguments(request, self._snapshots.serving().model.scale)
        self._door.weigh(call, 1, _users_of(request))
        answer = await self._recommender.recommend(arguments, call.deadline)
        response = renderer.recommendation(answer, self._snapshots.page_key)
        call.note_info(response.serving_info)
        return response

    async def BatchRecommend(
        self, request: pb.BatchRecommendRequest, call: Call
    ) -> pb.BatchRecommendResponse:
        """Returns the answers of many Recommends, each with a status of its own."""
        entries = request.requests

        def answer(entry: pb.RecommendRequest) -> Awaitable[pb.RecommendResponse]:
            return self._entry(entry, call.deadline, len(entries))

        results = await self._batch(call, entries, MAX_BATCH_RECOMMEND, answer)
        return pb.BatchRecommendResponse(
            results=[_result(pb.BatchRecommendResponse.Result, each) for each in results]
        )

    async def SimilarItems(
        self, request: pb.SimilarItemsRequest, call: Call
    ) -> pb.SimilarItemsResponse:
        """Returns the items most like another."""
        self._snapshots.serving()
        arguments = parser.similar_arguments(request)
        self._door.weigh(call)
        answer = await self._recommender.similar(arguments)
        response = renderer.similar_items(answer, self._snapshots.page_key)
        call.note_info(response.serving_info)
        return response

    async def SubmitRating(
        self, request: pb.SubmitRatingRequest, call: Call
    ) -> pb.SubmitRatingResponse:
        """Stores one rating; answers when it is stored."""
        snapshot = self._snapshots.serving()
        write = write_parser.submission(request, snapshot.model.scale)
        self._door.weigh(call, 1, _users_of(request))
        outcome = await self._rating_writer.submit(snapshot, write)
        response = renderer.submitted(snapshot, outcome)
        call.note_info(response.serving_info)
        return response

    async def BatchSubmitRatings(
        self, request: pb.BatchSubmitRatingsRequest, call: Call
    ) -> pb.BatchSubmitRatingsResponse:
        """Stores many ratings, each by itself; those of one user in their order."""
        turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

        async def in_turn(entry: pb.SubmitRatingRequest) -> pb.SubmitRatingResponse:
            async with turns[entry.user_id]:
                snapshot = self._snapshots.serving()
                write = write_parser.submission(entry, snapshot.model.scale)
                return renderer.submitted(
                    snapshot, await self._rating_writer.submit(snapshot, write)
                )

        results = await self._batch(call, request.requests, MAX_BATCH_SUBMIT, in_turn)
        return pb.BatchSubmitRatingsResponse(
            results=[_result(pb.BatchSubmitRatingsResponse.Result, each) for each in results]
        )

    async def DeleteRating(
        self, request: pb.DeleteRatingRequest, call: Call
    ) -> pb.DeleteRatingResponse:
        """Takes one rating back."""
        snapshot = self._snapshots.serving()
        write = write_parser.deletion(request)
        self._door.weigh(call, 1, _users_of(request))
        outcome = await self._rating_writer.delete(snapshot, write)
        response = renderer.deleted(snapshot, outcome)
        call.note_info(response.serving_info)
        return response

    async def PredictRatings(
        self, request: pb.PredictRatingsRequest, call: Call
    ) -> pb.PredictRatingsResponse:
        """Returns what a user would rate the named items."""
        arguments = parser.predict_arguments(request, self._snapshots.serving().model.scale)
        self._door.weigh(call, len(arguments.item_ids), _users_of(request))
        answer = await self._recommender.predict(arguments, call.deadline)
        response = renderer.predictions(answer, arguments.item_ids)
        call.note_info(response.serving_info)
        return response

    async def GetUserState(
        self, request: pb.GetUserStateRequest, call: Call
    ) -> pb.GetUserStateResponse:
        """Returns what is kept of a user."""
        self._snapshots.serving()
        user_id, most = parser.state_arguments(request)
        self._door.weigh(call, 1, [user_id])
        answer = await self._recommender.state(user_id)
        response = renderer.user_state(user_id, answer, most)
        call.note_info(response.serving_info)
        return response

    async def _batch(
        self,
        call: Call,
        entries: Sequence[Entry],
        most: int,
        work: Callable[[Entry], Awaitable[Response]],
    ) -> list[Response | Status]:
        """Returns the outcome of each of at most `most` entries, weighed together."""
        self._snapshots.serving()
        parser.checked_count("requests", len(entries), most)
        self._door.weigh(call, len(entries), _users_of(*entries))
        return await asyncio.gather(*(entry_result(work(entry), call.method) for entry in entries))

    async def _entry(
        self, entry: pb.RecommendRequest, deadline: Deadline, together: int
    ) -> pb.RecommendResponse:
        """Returns the answer of one Recommend of a batch, computed `together` with the others."""
        arguments = parser.recommend_arguments(entry, self._snapshots.serving().model.scale)
        answer = await self._recommender.recommend(arguments, deadline, together=together)
        return renderer.recommendation(answer, self._snapshots.page_key)


def _result(kind: Callable[..., Result], outcome: Any) -> Result:
    """Returns the outcome of one entry as a result of its batch."""
    return kind(error=outcome) if isinstance(outcome, Status) else kind(response=outcome)


def _users_of(*requests: Any) -> list[str]:
    """Returns the users that requests name; one with a profile alone names none."""
    return [request.user_id for request in requests if request.user_id]
