"""Encoded answers that are given again while request, edition and the user's revision are the same.

It decides nothing about freshness: whoever asks has read the revision from the store. Revision 0 is
no name of a state, for a user has it before her first rating and after a purge alike.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from foldin_model.records.personalization import Personalization
from foldin_model.trained.snapshot import Edition

from foldin_server.recommend.users import UserView
from foldin_server.requests.arguments import RecommendArguments

MOST_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a request asked for and got, made from that revision of the user."""

    arguments: RecommendArguments
    revision: int
    personalization: Personalization
    encoded: bytes

    def holds(self, view: UserView) -> bool:
        """Whether it would be made again in the same way."""
        return view.state.revision == self.revision and not view.degraded


class Answers:
    """Holds at most `size` answers; the one not given for longest leaves first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[tuple[Edition, bytes], Answer] = OrderedDict()
        self.keeps = size > 0
        """Whether any answer is kept."""

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, edition: Edition, request: bytes) -> Answer | None:
        """The last answer to these bytes from that edition."""
        answer = self._answers.get((edition, request))
        if answer is not None:
            self._answers.move_to_end((edition, request))
        return answer

    def put(self, edition: Edition, request: bytes, answer: Answer) -> None:
        """Keeps an answer that the ratings of one named user alone decide, if it is short."""
        asked = answer.arguments
        lasting = answer.revision > 0 and not (asked.page.token or asked.user.profile)
        if not lasting or asked.user.user_id is None or len(answer.encoded) > MOST_BYTES:
            return
        self._answers[edition, request] = answer
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)
