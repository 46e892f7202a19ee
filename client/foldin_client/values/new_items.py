"""Items added beside the model, and the answers to adding and hiding items."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to add beside the model. An embedding is as long as those the model has."""

    item_id: str
    title: str
    genres: tuple[str, ...] = ()
    year: int | None = None
    tags: tuple[str, ...] = ()
    embedding: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """The overlay revision that first has the new items.

    The model was trained with the items of `trained_item_ids`: for them its own content is used.
    """

    overlay_revision: int
    model_version: str
    trained_item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AvailabilityResult:
    """The overlay revision from which on the items are hidden or shown."""

    overlay_revision: int
    model_version: str
