"""What the client takes and returns: frozen values named as in the contract, without protobuf."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4


class Personalization(enum.StrEnum):
    """How an answer was made for its user."""

    UNSPECIFIED = "unspecified"
    TRAINED = "trained"
    FOLDED_IN = "folded_in"
    CONTENT = "content"
    POPULAR = "popular"


class Freshness(enum.StrEnum):
    """How old an answer may be: of now, or by at most two seconds older."""

    UNSPECIFIED = "unspecified"
    STRICT = "strict"
    BOUNDED = "bounded"


class Source(enum.StrEnum):
    """Where an item of an answer comes from."""

    UNSPECIFIED = "unspecified"
    COLLABORATIVE = "collaborative"
    CONTENT = "content"
    POPULAR = "popular"


class ModelState(enum.StrEnum):
    """Whether a published version serves."""

    UNSPECIFIED = "unspecified"
    CURRENT = "current"
    PREVIOUS = "previous"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items may appear. Every condition holds for every item of the answer."""

    include_genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    exclude_item_ids: tuple[str, ...] = ()
    candidate_item_ids: tuple[str, ...] = ()
    min_year: int | None = None
    max_year: int | None = None
    include_rated: bool = False
    min_rating_count: int = 0


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating; a time without a zone is UTC, no time is the store's."""

    item_id: str
    value: float
    event_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewRating:
    """One rating to store. The request_id makes it safe to send again."""

    user_id: str
    item_id: str
    value: float
    event_time: datetime | None = None
    request_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True, slots=True)
class Query:
    """One request for recommendations, as `Client.recommend` takes it."""

    user_id: str = ""
    page_size: int = 0
    page_token: str = ""
    filter: Filter = Filter()
    diversity: float = 0.0
    max_per_cluster: int = 0
    explain: bool = False
    max_reasons: int = 0
    min_user_revision: int = 0
    require_known_user: bool = False
    profile: tuple[Rating, ...] = ()


@dataclass(frozen=True, slots=True)
class ServingInfo:
    """How an answer was made."""

    model_version: str
    personalization: Personalization
    rating_count: int
    user_revision: int
    degraded: bool
    model_time: datetime | None
    freshness: Freshness


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


@dataclass(frozen=True, slots=True)
class Written:
    """A stored write. `superseded`: a later rating of the same item stands, nothing changed."""

    user_revision: int
    replayed: bool
    superseded: bool
    request_id: str
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a user would rate an item, and did, where it is rated.

    Nine in ten such ratings lie between `low` and `high`, None where the model cannot tell.
    """

    item_id: str
    predicted_rating: float
    rating: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    predictions: tuple[Prediction, ...]
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class RatedItem:
    """A live rating; the title is empty where the serving model lacks the item."""

    item_id: str
    value: float
    event_time: datetime | None
    title: str
    in_model: bool


@dataclass(frozen=True, slots=True)
class UserState:
    """What is kept of a user, latest rating first."""

    user_id: str
    ratings: tuple[RatedItem, ...]
    trained: bool
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the serving model's catalogue, or added beside it; lists show available ones."""

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


@dataclass(frozen=True, slots=True)
class Model:
    """One published model version."""

    version: str
    create_time: datetime | None
    method: str
    user_count: int
    item_count: int
    rating_count: int
    min_rating: float
    max_rating: float
    dimension: int
    index_kind: str
    metrics: dict[str, float]
    state: ModelState


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The model of the server process that answered; why it is not the store's, where it is not.

    `overlay_revision` is that of the new items and the availability that it serves, 0 for none.
    """

    model: Model
    epoch: int
    load_error: str
    overlay_revision: int


@dataclass(frozen=True, slots=True)
class ModelList:
    """Every published version, newest first."""

    models: tuple[Model, ...]
    epoch: int
    current_version: str
    previous_version: str


@dataclass(frozen=True, slots=True)
class Activation:
    epoch: int
    current_version: str
    previous_version: str
