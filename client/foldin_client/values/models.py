"""Published model versions, and which of them serves."""

import enum
from dataclasses import dataclass
from datetime import datetime


class ModelState(enum.StrEnum):
    """Whether a published version serves."""

    UNSPECIFIED = "unspecified"
    CURRENT = "current"
    PREVIOUS = "previous"
    AVAILABLE = "available"


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
    """The model that the answering server process serves.

    `load_error` says why it is not the store's current one, and is empty where it is.
    `overlay_revision` is that of the new and hidden items that it applies, 0 for none.
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
