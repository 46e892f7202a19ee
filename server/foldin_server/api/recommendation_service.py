"""The handlers of RecommendationService: parse, call, render."""

# ruff: noqa: N802 (names and arguments are those of the contract)

import asyncio
from collections import defaultdict
from collections.abc import Coroutine

from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceServicer
from foldin_model.ids import UserId
from google.rpc.status_pb2 import Status

from foldin_server.admission.calls import Call, Calls, entry_status, rpc
from foldin_server.fast_path.batch_answers import Answering, Asked, Reply
from foldin_server.fast_path.plain_pages import is_plain
from foldin_server.fast_path.wire_reader import plain_arguments
from foldin_server.recommend.recommender import Recommender
from foldin_server.replies import renderer
from foldin_server.requests import parser
from foldin_server.versions.snapshots import Snapshots
from foldin_server.writes.rating_writer import Rater

MAX_BATCH_RECOMMEND = 100
MAX_BATCH_SUBMIT = 1_000


class Recommendations(RecommendationServiceServicer):
    """Recommendations, and the ratings that they follow."""

    def __init__(
        self,
        calls: Calls,
        snapshots: Snapshots,
        recommender: Recommender,
        rater: Rater,
        answering: Answering,
    ) -> None:
        self.calls = calls
        self._snapshots = snapshots
        self._recommender = recommender
        self._rater = rater
        self._answering = answering

    @rpc
    async def Recommend(  # type: ignore[override]  # it takes and gives bytes
        self, request: bytes, call: Call
    ) -> bytes:
        """The items a user would like best."""
        return await self._recommend(request, call)

    def begin(
        self, request: bytes, call: Call, reply: Reply, *, together: int = 1
    ) -> Coroutine[object, object, bytes] | None:
        """Begins a Recommend: its `reply` comes by itself, or is what the work given results in.

        Raises what is wrong with the request itself, and ModelNotReady.
        """
        snapshot = self._snapshots.serving()
        known = self._answering.known(snapshot.edition, request)
        arguments = plain_arguments(request) if known is None else known.arguments
        if arguments is None:
            message = pb.RecommendRequest.FromString(request)
            call.user_id = UserId(message.user_id) if message.user_id else None
            arguments = parser.recommend_arguments(message, snapshot.model.scale)
        else:
            call.user_id = arguments.user.user_id
        asked = Asked(request, arguments, snapshot, known, call, reply)
        if known is not None and self._answering.gives_again(asked, known):
            return None
        if is_plain(snapshot, arguments):
            return self._answering.ask(asked)
        return self._recommend_alone(asked, together)

    @rpc
    async def BatchRecommend(
        self, request: pb.BatchRecommendRequest, call: Call
    ) -> pb.BatchRecommendResponse:
        """Many Recommends, each with a status of its own."""
        self._snapshots.serving()
        parser.checked_count("requests", len(request.requests), MAX_BATCH_RECOMMEND)
        results = await asyncio.gather(
            *(
                entry_status(self._entry(entry, call, len(request.requests)), call.method)
                for entry in request.requests
            )
        )
        return pb.BatchRecommendResponse(
            results=[
                pb.BatchRecommendResponse.Result(error=result)
                if isinstance(result, Status)
                else pb.BatchRecommendResponse.Result(response=result)
                for result in results
            ]
        )

    @rpc
    async def SimilarItems(
        self, request: pb.SimilarItemsRequest, call: Call
    ) -> pb.SimilarItemsResponse:
        """The items most like another."""
        self._snapshots.serving()
        answer = await self._recommender.similar(parser.similar_arguments(request))
        response = renderer.similar_items(answer, self._snapshots.page_key)
        call.told(response.serving_info)
        return response

    @rpc
    async def SubmitRating(
        self, request: pb.SubmitRatingRequest, call: Call
    ) -> pb.SubmitRatingResponse:
        """Stores one rating; answers when it is stored."""
        call.user_id = UserId(request.user_id)
        response = await self._submit(request)
        call.told(response.serving_info)
        return response

    @rpc
    async def BatchSubmitRatings(
        self, request: pb.BatchSubmitRatingsRequest, call: Call
    ) -> pb.BatchSubmitRatingsResponse:
        """Stores many ratings, each by itself; those of one user in the order given."""
        self._snapshots.serving()
        parser.checked_count("requests", len(request.requests), MAX_BATCH_SUBMIT)
        turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

        async def in_turn(entry: pb.SubmitRatingRequest) -> pb.SubmitRatingResponse:
            async with turns[entry.user_id]:
                return await self._submit(entry)

        results = await asyncio.gather(
            *(entry_status(in_turn(entry), call.method) for entry in request.requests)
        )
        return pb.BatchSubmitRatingsResponse(
            results=[
                pb.BatchSubmitRatingsResponse.Result(error=result)
                if isinstance(result, Status)
                else pb.BatchSubmitRatingsResponse.Result(response=result)
                for result in results
            ]
        )

    @rpc
    async def DeleteRating(
        self, request: pb.DeleteRatingRequest, call: Call
    ) -> pb.DeleteRatingResponse:
        """Takes one rating back."""
        call.user_id = UserId(request.user_id)
        snapshot = self._snapshots.serving()
        outcome = await self._rater.delete(snapshot, parser.deletion(request))
        response = pb.DeleteRatingResponse(
            user_revision=outcome.revision,
            replayed=outcome.replayed,
            superseded=outcome.superseded,
            serving_info=renderer.write_info(snapshot, outcome),
        )
        call.told(response.serving_info)
        return response

    @rpc
    async def PredictRatings(
        self, request: pb.PredictRatingsRequest, call: Call
    ) -> pb.PredictRatingsResponse:
        """What a user would rate the named items."""
        call.user_id = UserId(request.user_id) if request.user_id else None
        scale = self._snapshots.serving().model.scale
        arguments = parser.predict_arguments(request, scale)
        answer = await self._recommender.predict(arguments, call.deadline)
        response = renderer.predictions(answer, arguments.item_ids)
        call.told(response.serving_info)
        return response

    @rpc
    async def GetUserState(
        self, request: pb.GetUserStateRequest, call: Call
    ) -> pb.GetUserStateResponse:
        """What is kept of a user."""
        call.user_id = UserId(request.user_id)
        self._snapshots.serving()
        user_id, most = parser.state_arguments(request)
        answer = await self._recommender.state(user_id)
        response = renderer.user_state(user_id, answer, most)
        call.told(response.serving_info)
        return response

    async def _recommend(self, request: bytes, call: Call, *, together: int = 1) -> bytes:
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        work = self.begin(request, call, reply, together=together)
        return await (reply if work is None else work)

    async def _recommend_alone(self, asked: Asked, together: int) -> bytes:
        """Any Recommend, made `together` with others of one call but by itself."""
        arguments = asked.arguments
        snapshot, token = self._snapshots.of_page(arguments.page)
        asked.view = view = await self._recommender.view(snapshot, arguments, asked.call.deadline)
        if (again := asked.again()) is not None:
            return again
        answer = await self._recommender.answer(snapshot, token, view, arguments, together=together)
        return self._answering.rendered(asked, answer)

    async def _entry(
        self, entry: pb.RecommendRequest, call: Call, together: int
    ) -> pb.RecommendResponse:
        """One Recommend of a batch, with a record of its own that nobody reads."""
        request, own = entry.SerializeToString(), Call(call.method, deadline=call.deadline)
        return pb.RecommendResponse.FromString(
            await self._recommend(request, own, together=together)
        )

    async def _submit(self, request: pb.SubmitRatingRequest) -> pb.SubmitRatingResponse:
        snapshot = self._snapshots.serving()
        write = parser.submission(request, snapshot.model.scale)
        outcome = await self._rater.submit(snapshot, write)
        return pb.SubmitRatingResponse(
            user_revision=outcome.revision,
            replayed=outcome.replayed,
            superseded=outcome.superseded,
            serving_info=renderer.write_info(snapshot, outcome),
        )
