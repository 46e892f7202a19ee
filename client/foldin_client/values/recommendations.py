"""A request for recommendations and the pages of scored items that answer it."""

from dataclasses import dataclass

from foldin_client.values.items import Filter, Source
from foldin_client.values.ratings import Rating
from foldin_client.values.serving_info import ServingInfo


@dataclass(frozen=True, slots=True)
class Query:
    """One request for recommendations, as `Client.recommend` takes it."""

    user_id: str = ""
    page_size: int = 0
    page_token: str = ""
    filter: Filter = Filter()  # noqa: RUF009  frozen
    diversity: float = 0.0
    max_per_cluster: int = 0
    explain: bool = False
    max_reasons: int = 0
    min_user_revision: int = 0
    require_known_user: bool = False
    profile: tuple[Rating, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One rating's share of a score."""

    item_id: str
    title: str
    contribution: float


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """An item with its place in an ordered list.

    base_score + all contributions + other_contributions = score, where explanations were asked for.
    """

    item_id: str
    score: float
    predicted_rating: float | None
    title: str
    genres: tuple[str, ...]
    year: int | None
    source: Source
    reasons: tuple[Reason, ...]
    cluster_id: int
    base_score: float
    other_contributions: float


@dataclass(frozen=True, slots=True)
class ScoredPage:
    """One page of an ordered list; the token is empty on the last."""

    items: tuple[ScoredItem, ...]
    next_page_token: str
    serving_info: ServingInfo
