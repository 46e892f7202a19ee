"""What commands answer where no value of the client has it all: the titles beside the ids.

Their field names are what `--json` prints.
"""

from dataclasses import dataclass

from foldin_client.values import ServingInfo


@dataclass(frozen=True, slots=True)
class TitledPrediction:
    item_id: str
    title: str
    predicted_rating: float
    rating: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class TitledPredictions:
    """What a user would rate items."""

    user_id: str
    predictions: tuple[TitledPrediction, ...]
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class WrittenRating:
    """A rating that was stored, or taken back where the value is None."""

    user_id: str
    item_id: str
    title: str
    value: float | None
    user_revision: int
    replayed: bool
    superseded: bool
    request_id: str
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class AddedItems:
    """Items that were added beside the model, or that it has content of its own of."""

    item_ids: tuple[str, ...]
    trained_item_ids: tuple[str, ...]
    overlay_revision: int


@dataclass(frozen=True, slots=True)
class ChangedAvailability:
    """Items that are hidden from every list, or shown again."""

    item_ids: tuple[str, ...]
    available: bool
    overlay_revision: int
