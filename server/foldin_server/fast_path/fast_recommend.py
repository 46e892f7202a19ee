"""Recommend, put before the general way: the same bytes in less time.

A response is sent again from the cache, made together with others (plain first pages), or made by
itself from prepared parts. Explained lists take the general steps.
"""

from collections.abc import Coroutine

from foldin.v1 import recommendation_pb2 as pb
from foldin_model.errors import ModelNotReady
from foldin_model.ids import UserId

from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.admission.method import Begin, Reply, Work
from foldin_server.fast_path.answer_cache import AnswerCache
from foldin_server.fast_path.batch_answers import BatchAnswers
from foldin_server.fast_path.pending_recommend import PendingRecommend
from foldin_server.fast_path.plain_pages import is_plain
from foldin_server.fast_path.wire_reader import plain_arguments
from foldin_server.recommend.recommender import Recommender
from foldin_server.replies import renderer
from foldin_server.requests import parser
from foldin_server.requests.arguments import RecommendArguments
from foldin_server.versions.snapshots import Snapshots


class FastRecommend:
    """The fast path of Recommend; `general` answers while there is no model."""

    def __init__(
        self,
        general: Begin,
        door: Door,
        recommender: Recommender,
        snapshots: Snapshots,
        *,
        cache: AnswerCache,
        batches: BatchAnswers,
    ) -> None:
        self._general = general
        self._door = door
        self._snapshots = snapshots
        self._recommender = recommender
        self._cache = cache
        self._batches = batches

    def begin(self, request: bytes, call: Call, reply: Reply) -> Work | None:
        """Begins a call: see `foldin_server.admission.method.Begin`."""
        try:
            snapshot = self._snapshots.serving()
        except ModelNotReady:
            return self._general(request, call, reply)
        cached = self._cache.get(snapshot.edition, request)
        arguments = plain_arguments(request) if cached is None else cached.arguments
        if arguments is None:
            message = pb.RecommendRequest.FromString(request)
            call.user_id = UserId(message.user_id) if message.user_id else None
            arguments = parser.recommend_arguments(message, snapshot.model.scale)
        else:
            call.user_id = arguments.user.user_id
        user_id = arguments.user.user_id
        self._door.weigh(call, 1, () if user_id is None else (user_id,))
        return self.start(PendingRecommend(request, arguments, snapshot, cached, call, reply))

    def entry(
        self, request: bytes, arguments: RecommendArguments, call: Call, reply: Reply, together: int
    ) -> Coroutine[object, object, bytes] | None:
        """Begins one entry of a batch of `together`, whose batch was weighed."""
        snapshot = self._snapshots.serving()
        cached = self._cache.get(snapshot.edition, request)
        pending = PendingRecommend(request, arguments, snapshot, cached, call, reply)
        return self.start(pending, together)

    def start(self, pending: PendingRecommend, together: int = 1) -> Work | None:
        """Sets the reply now or later, or returns work that results in the response."""
        cached = pending.cached
        if cached is not None and self._batches.sent_again(pending, cached):
            return None
        if is_plain(pending.snapshot, pending.arguments):
            return self._batches.add(pending)
        if pending.arguments.max_reasons is not None:
            return self._explained(pending, together)
        return self._alone(pending, together)

    async def _alone(self, pending: PendingRecommend, together: int) -> bytes:
        """Returns the response to any request without explanations, made by itself."""
        arguments, deadline = pending.arguments, pending.call.deadline
        snapshot, token = self._snapshots.of_page(arguments.page)
        pending.view = view = await self._recommender.view(snapshot, arguments, deadline)
        if (again := pending.cached_response()) is not None:
            return again
        answer = await self._recommender.answer(snapshot, token, view, arguments, together=together)
        return self._batches.packed(pending, answer)

    async def _explained(self, pending: PendingRecommend, together: int) -> bytes:
        """Returns a response with explanations, by the general steps."""
        answer = await self._recommender.recommend(
            pending.arguments, pending.call.deadline, together=together
        )
        response = renderer.recommendation(answer, self._snapshots.page_key)
        pending.call.note_info(response.serving_info)
        return response.SerializeToString()
