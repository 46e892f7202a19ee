"""How an answer was made: ServingInfo and its enumerations."""

import enum
from dataclasses import dataclass
from datetime import datetime


class Personalization(enum.StrEnum):
    """How an answer was made for its user."""

    UNSPECIFIED = "unspecified"
    TRAINED = "trained"
    FOLDED_IN = "folded_in"
    CONTENT = "content"
    POPULAR = "popular"


class Freshness(enum.StrEnum):
    """How old an answer may be: it is current, or at most two seconds old."""

    UNSPECIFIED = "unspecified"
    STRICT = "strict"
    BOUNDED = "bounded"


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
