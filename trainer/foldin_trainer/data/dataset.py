"""A data set that was read and found valid, and the account of what was found.

How it is read is `loader`; where fetched ones are kept is `cache`.
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
    """What loading found. `rows` counts the file's ratings before duplicates were dropped.

    `untitled` counts rated items that the catalog lacks; `tagged` items with a tag; `attributes`
    are names of what is known of users; `first` and `last` are the earliest and latest timestamps
    in seconds since 1970.
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
        """The report as labelled lines for people."""
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
    """Ratings, the items they are about and the users who gave them, and how they were found."""

    ratings: Ratings
    items: ItemTable
    report: LoadReport
    users: UserTable = field(default_factory=UserTable)

    def with_items_shuffled(self, seed: int) -> Self:
        """The same data set with its items in a random order, the same for the same ids and seed.

        Where an item stands then tells nothing of its ratings, to whom ties are broken by row.
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
