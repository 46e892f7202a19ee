"""A Recommend that has no response yet."""

from dataclasses import dataclass, field

from foldin_model.trained.snapshot import Snapshot

from foldin_server.admission.call import Call
from foldin_server.admission.method import Reply
from foldin_server.fast_path.answer_cache import CachedAnswer
from foldin_server.recommend.users import UserView
from foldin_server.requests.arguments import RecommendArguments


@dataclass(slots=True, eq=False)
class PendingRecommend:
    """A Recommend that is answered from a snapshot.

    `cached` is the last response to the same request bytes. `view` is set once the user is read.
    """

    request: bytes
    arguments: RecommendArguments
    snapshot: Snapshot
    cached: CachedAnswer | None
    call: Call
    reply: Reply
    view: UserView = field(init=False)

    def cached_response(self) -> bytes | None:
        """Returns the cached response if the user has not changed since it was made."""
        if self.cached is None or not self.cached.holds(self.view):
            return None
        self.call.note_answer(self.snapshot.version, self.cached.personalization)
        return self.cached.response

    def fail(self, error: Exception) -> None:
        """Ends the call with an error, if somebody still waits for it."""
        if not self.reply.done():
            self.reply.set_exception(error)
