"""The checked arguments of the RPCs, free of protobuf."""

from dataclasses import dataclass
from typing import NamedTuple

from foldin_model.ids import ItemId, UserId
from foldin_model.retrieval.filters import ItemFilter


class PageArguments(NamedTuple):
    """The part of a list that a request asks for.

    `digest` identifies the list: it is made of all fields of the request but page size and token.
    """

    size: int
    token: str
    digest: bytes


class UserArguments(NamedTuple):
    """The user of a request: an id, the least revision, and ratings for this call only.

    `user_id` is None where the request has a profile alone.
    """

    user_id: UserId | None
    min_revision: int = 0
    profile: tuple[tuple[ItemId, float], ...] = ()
    must_be_known: bool = False


class RecommendArguments(NamedTuple):
    """The arguments of Recommend; `max_reasons` is None without explanations."""

    user: UserArguments
    page: PageArguments
    item_filter: ItemFilter
    include_rated: bool = False
    strength: float = 0.0
    max_per_cluster: int = 0
    max_reasons: int | None = None

    @property
    def diversified(self) -> bool:
        """Returns whether the list is diversified, and so not in the order of its scores."""
        return self.strength > 0 or self.max_per_cluster > 0


@dataclass(frozen=True, slots=True)
class SimilarArguments:
    """The arguments of SimilarItems."""

    item_id: ItemId
    page: PageArguments
    item_filter: ItemFilter


@dataclass(frozen=True, slots=True)
class PredictArguments:
    """The arguments of PredictRatings."""

    user: UserArguments
    item_ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class ListArguments:
    """The arguments of ListItems and ListPopularItems.

    An empty `query` matches every item. Hidden items are listed where `unavailable` is set.
    """

    query: str
    page: PageArguments
    item_filter: ItemFilter
    unavailable: bool = False
