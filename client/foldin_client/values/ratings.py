"""Ratings that callers send, and what the server keeps and predicts of them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from foldin_client.values.serving_info import ServingInfo


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
class Written:
    """A stored write. `superseded`: a later rating of the same item stands, nothing changed."""

    user_revision: int
    replayed: bool
    superseded: bool
    request_id: str
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
