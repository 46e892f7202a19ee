"""Results of commands that add titles or ids to a value of the client.

`--json` prints their field names.
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
    """The predicted ratings of items, with their titles."""

    user_id: str
    predictions: tuple[TitledPrediction, ...]
    serving_info: ServingInfo


@dataclass(frozen=True, slots=True)
class WrittenRating:
    """A rating that was stored, or deleted where the value is None."""

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
    """Added items. The model was trained with some of them and keeps its own content of those."""

    item_ids: tuple[str, ...]
    trained_item_ids: tuple[str, ...]
    overlay_revision: int


@dataclass(frozen=True, slots=True)
class ChangedAvailability:
    """Items that are hidden from every list, or shown again."""

    item_ids: tuple[str, ...]
    available: bool
    overlay_revision: int
