"""Responses that are sent again while request, edition and the user's revision are the same.

The cache decides nothing about freshness: its user has read the revision from the store. Revision 0
names no state, since a user has it before their first rating and after a purge alike.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from foldin_model.records.personalization import Personalization
from foldin_model.trained.snapshot import Edition

from foldin_server.recommend.users import UserView
from foldin_server.requests.arguments import RecommendArguments

MAX_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class CachedAnswer:
    """What a request asked for, and the response made from one revision of its user."""

    arguments: RecommendArguments
    revision: int
    personalization: Personalization
    response: bytes

    def holds(self, view: UserView) -> bool:
        """Returns whether the same response would be made for this view of the user."""
        return view.state.revision == self.revision and not view.degraded


class AnswerCache:
    """Holds at most `size` responses; the one unused for longest leaves first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[tuple[Edition, bytes], CachedAnswer] = OrderedDict()
        self.is_on = size > 0
        """Whether any response is kept."""

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, edition: Edition, request: bytes) -> CachedAnswer | None:
        """Returns the last response to these request bytes from that edition."""
        answer = self._answers.get((edition, request))
        if answer is not None:
            self._answers.move_to_end((edition, request))
        return answer

    def put(self, edition: Edition, request: bytes, answer: CachedAnswer) -> None:
        """Keeps a short response that depends on the ratings of one named user alone."""
        asked = answer.arguments
        lasting = answer.revision > 0 and not (asked.page.token or asked.user.profile)
        if not lasting or asked.user.user_id is None or len(answer.response) > MAX_BYTES:
            return
        self._answers[edition, request] = answer
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)
