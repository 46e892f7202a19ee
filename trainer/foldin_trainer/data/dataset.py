"""A data set that was read and validated, and the report of what was found.

`loader` reads it; `cache` keeps fetched ones.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import numpy as np
from foldin_model.scale import Scale

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.users import UserTable

ScaleOrigin = Literal["MovieLens", "given", "inferred"]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading found; `rows` counts the file's ratings before duplicates were dropped.

    `untitled` counts rated items that are missing from the item table, `tagged` items with a tag.
    `attributes` are the names of the users' attributes. `first` and `last` are the earliest and
    latest timestamps in seconds since 1970.
    """

    name: str
    path: Path
    rows: int
    duplicates: int
    ratings: int
    users: int
    rated_items: int
    items: int
    untitled: int
    mean: float
    scale: Scale
    scale_origin: ScaleOrigin
    first: int | None
    last: int | None
    tagged: int = 0
    attributes: tuple[str, ...] = ()

    def facts(self) -> dict[str, str]:
        """Returns the report as lines for a terminal, by label."""
        facts = {
            "data set": f"{self.name} ({self.path})",
            "ratings": f"{self.ratings:,}",
            "users": f"{self.users:,}",
            "items": f"{self.items:,} ({self.rated_items:,} rated)",
            "scale": f"{self.scale.low:g} to {self.scale.high:g} ({self.scale_origin})",
            "mean": f"{self.mean:.3f}",
            "times": "none",
        }
        if self.first is not None and self.last is not None:
            facts["times"] = f"{_day(self.first)} to {_day(self.last)}"
        if self.tagged:
            facts["with tags"] = f"{self.tagged:,} of the items"
        if self.attributes:
            facts["of users"] = ", ".join(self.attributes)
        if self.duplicates:
            winner = "by file order" if self.first is None else "by time"
            facts["duplicates"] = f"{self.duplicates:,} dropped, the last {winner} kept"
        if self.untitled:
            facts["without title"] = f"{self.untitled:,} of the rated items"
        return facts


@dataclass(frozen=True, slots=True)
class Dataset:
    """Ratings, the tables of their items and users, and the report of loading them."""

    ratings: Ratings
    items: ItemTable
    report: LoadReport
    users: UserTable = field(default_factory=UserTable)

    def with_items_shuffled(self, seed: int) -> Self:
        """Returns the data set with its items in a random order that depends on ids and seed alone.

        An item's row then says nothing about its ratings, which matters where ties go by row.
        """
        ids = self.ratings.item_ids
        by_id = sorted(range(len(ids)), key=ids.__getitem__)
        order = np.random.default_rng(seed).permutation(by_id)
        ratings = replace(
            self.ratings,
            item_ids=tuple(ids[row] for row in order.tolist()),
            items=np.argsort(order)[self.ratings.items].astype(np.int32),
        )
        return replace(self, ratings=ratings, items=self.items.take(order))


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
