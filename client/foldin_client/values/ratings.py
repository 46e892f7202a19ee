"""Ratings: as callers send them, as the server keeps them, and as it predicts them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from foldin_client.values.serving_info import ServingInfo


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating. A time without a zone is UTC; without a time, the store's clock counts."""

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
class WriteResult:
    """The answer to a write. `superseded`: a later rating of the item exists, nothing changed.

    `replayed`: the same request was answered before, and this is that answer.
    """

    user_revision: int
    replayed: bool
    superseded: bool
    request_id: str
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class RatedItem:
    """A stored rating; the title is empty where the serving model lacks the item."""

    item_id: str
    value: float
    event_time: datetime | None
    title: str
    in_model: bool


@dataclass(frozen=True, slots=True)
class UserState:
    """The stored ratings of a user, latest first."""

    user_id: str
    ratings: tuple[RatedItem, ...]
    trained: bool
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted rating of an item, and the user's own where they have rated it.

    Nine in ten such ratings lie between `low` and `high`; None where the model cannot say.
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
