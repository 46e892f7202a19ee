"""The calls of every scenario as bytes, drawn from one seed: Zipf users, or each call another user.

The ratings of readers never change while they are measured; writes and the mix are for movers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import Any, Final, TypeVar

from foldin.v1 import recommendation_pb2 as pb
from foldin_model.ids import UserId
from google.protobuf.message import Message

from benchmarks.serving.catalog import Served
from benchmarks.serving.echo import HALF_REFUSED
from benchmarks.serving.generator.wire import grpc_request

T = TypeVar("T")
SERVICE: Final = "/foldin.v1.RecommendationService/"
ZIPF_EXPONENT: Final = 1.1
DRAWS: Final = 50_000
ITEMS_A_USER: Final = 20
VARIETY: Final = 0.3  # of 1: the weight of variety on varied lists
MIX: Final = {"Recommend": 90, "SimilarItems": 9, "SubmitRating": 1}
REPLIES: Final[dict[str, Any]] = {
    "Recommend": pb.RecommendResponse,
    "SimilarItems": pb.SimilarItemsResponse,
    "SubmitRating": pb.SubmitRatingResponse,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the method, its message, and both as bytes on the wire."""

    method: str
    message: bytes
    wire: bytes


class Calls:
    """The calls of one catalog."""

    def __init__(self, served: Served, seed: int = 2) -> None:
        self._random = Random(seed)  # noqa: S311 (no secret)
        users = list(served.users)
        self._random.shuffle(users)
        cut = len(users) * 4 // 5
        self.readers, self.movers = users[:cut], users[cut:]
        ids = served.model.catalog.item_ids
        self._low, self._high = served.model.scale.low, served.model.scale.high
        counts = served.model.catalog.rating_counts
        self._items = [ids[row] for row in counts.argsort()[::-1].tolist()]
        self.everyone = [_recommend(user) for user in self.readers]

    def zipf(self, count: int = DRAWS) -> list[Call]:
        """Returns Recommends for readers, drawn by Zipf's law."""
        return self._drawn(self.everyone, count)

    def similar(self, count: int = DRAWS) -> list[Call]:
        """Returns SimilarItems, popular items more often."""
        calls = [
            _call("SimilarItems", pb.SimilarItemsRequest(item_id=item, page_size=10))
            for item in self._items[:2_000]
        ]
        return self._drawn(calls, count)

    def varied(self) -> list[Call]:
        """Returns a Recommend with diversity for each reader: much more work than a plain one."""
        diversity = pb.Diversity(strength=VARIETY)
        return [
            _call("Recommend", pb.RecommendRequest(user_id=user, page_size=10, diversity=diversity))
            for user in self.readers
        ]

    def half_refused(self) -> list[Call]:
        """Returns calls of a method that only the echo has; it refuses every other one."""
        requests = (pb.RecommendRequest(user_id=user) for user in self.readers)
        return [_call(HALF_REFUSED, request) for request in requests]

    def submits(self, count: int = DRAWS) -> list[Call]:
        """Returns SubmitRatings for movers by Zipf's law; each rates the same few items again."""
        movers = list(range(len(self.movers)))
        return [self._submit(mover) for mover in self._drawn(movers, count)]

    def mixed(self, count: int = DRAWS) -> list[Call]:
        """Returns 90 Recommend, 9 SimilarItems and 1 SubmitRating of 100 calls, all for movers."""
        mover_calls = [_recommend(user) for user in self.movers]
        streams = {
            "Recommend": cycle(self._drawn(mover_calls, count)),
            "SimilarItems": cycle(self.similar(count)),
            "SubmitRating": cycle(self.submits(count)),
        }
        methods = self._random.choices(list(MIX), list(MIX.values()), k=count)
        return [next(streams[method]) for method in methods]

    def _submit(self, mover: int) -> Call:
        item = self._items[(mover + self._random.randrange(ITEMS_A_USER)) % len(self._items)]
        value = self._low + (self._high - self._low) * self._random.randint(0, 4) / 4
        user = self.movers[mover]
        message = pb.SubmitRatingRequest(user_id=user, item_id=item, value=value)
        return _call("SubmitRating", message)

    def _drawn(self, values: Sequence[T], count: int) -> list[T]:
        weights = [rank**-ZIPF_EXPONENT for rank in range(1, len(values) + 1)]
        return self._random.choices(values, weights, k=count)


def sample(calls: Sequence[Call], count: int) -> list[Call]:
    """Returns about `count` calls, spread over the list."""
    return list(islice(calls, 0, None, max(1, len(calls) // count)))


def _recommend(user: UserId) -> Call:
    return _call("Recommend", pb.RecommendRequest(user_id=user, page_size=10))


def _call(method: str, message: Message) -> Call:
    packed = message.SerializeToString()
    return Call(method, packed, grpc_request(SERVICE + method, packed))
