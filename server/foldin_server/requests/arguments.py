"""What the RPCs ask for, checked and free of protobuf: ids, numbers and item_filter."""

from dataclasses import dataclass
from typing import NamedTuple

from foldin_model.ids import ItemId, UserId
from foldin_model.retrieval.filters import ItemFilter


class PageArguments(NamedTuple):
    """Which part of a list. `digest` names the list: all arguments but the part."""

    size: int
    token: str
    digest: bytes


class UserArguments(NamedTuple):
    """Whose ratings count, from which revision on, and which more for this call only.

    `user_id` is None for a caller who brings a profile alone.
    """

    user_id: UserId | None
    min_revision: int = 0
    profile: tuple[tuple[ItemId, float], ...] = ()
    must_be_known: bool = False


class RecommendArguments(NamedTuple):
    """`max_reasons` is None where no explanation is asked for."""

    user: UserArguments
    page: PageArguments
    item_filter: ItemFilter
    include_rated: bool = False
    strength: float = 0.0
    max_per_cluster: int = 0
    max_reasons: int | None = None

    @property
    def diversified(self) -> bool:
        """Whether the order is another than that of the scores."""
        return self.strength > 0 or self.max_per_cluster > 0


@dataclass(frozen=True, slots=True)
class SimilarArguments:
    item_id: ItemId
    page: PageArguments
    item_filter: ItemFilter


@dataclass(frozen=True, slots=True)
class PredictArguments:
    user: UserArguments
    item_ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class ListArguments:
    """`query` is empty for every item; `unavailable` ones are listed only on request."""

    query: str
    page: PageArguments
    item_filter: ItemFilter
    unavailable: bool = False
