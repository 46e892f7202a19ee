"""What the client takes and returns about items added beside the model, and hidden ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to add beside the model. An embedding has the length that the model's have."""

    item_id: str
    title: str
    genres: tuple[str, ...] = ()
    year: int | None = None
    tags: tuple[str, ...] = ()
    embedding: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemsAdded:
    """New items are there from that overlay revision on.

    The model was trained with those of `trained_item_ids`: its own content of them stays in effect.
    """

    overlay_revision: int
    model_version: str
    trained_item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AvailabilitySet:
    """Items are hidden or shown from that overlay revision on."""

    overlay_revision: int
    model_version: str
