"""Items of the catalog, alone and in clusters, and the filter of lists."""

import enum
from dataclasses import dataclass


class Source(enum.StrEnum):
    """Where an item of an answer comes from."""

    UNSPECIFIED = "unspecified"
    COLLABORATIVE = "collaborative"
    CONTENT = "content"
    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that every item of an answer meets."""

    include_genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    exclude_item_ids: tuple[str, ...] = ()
    candidate_item_ids: tuple[str, ...] = ()
    min_year: int | None = None
    max_year: int | None = None
    include_rated: bool = False
    min_rating_count: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the serving model's catalog, or added beside it; lists show available ones."""

    item_id: str
    title: str
    genres: tuple[str, ...]
    year: int | None
    cluster_id: int
    rating_count: int
    mean_rating: float | None
    available: bool
    source: Source


@dataclass(frozen=True, slots=True)
class ItemPage:
    items: tuple[Item, ...]
    next_page_token: str
    model_version: str
    total_size: int


@dataclass(frozen=True, slots=True)
class ItemCluster:
    """A group of items that the same users like, with its most typical ones."""

    cluster_id: int
    name: str
    genres: tuple[str, ...]
    items: tuple[Item, ...]
    size: int


@dataclass(frozen=True, slots=True)
class ItemClusters:
    clusters: tuple[ItemCluster, ...]
    model_version: str
