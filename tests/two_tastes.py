"""A small data set with two planted tastes, for tests of the evaluation."""

from pathlib import Path

import numpy as np
from foldin_model.heads import Scale
from foldin_trainer.data.dataset import Dataset, LoadReport
from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings


def two_tastes(*, users: int = 60, items: int = 80, seed: int = 0) -> Ratings:
    """Even users rate even items high and more of them, odd users odd ones; ids are numbers."""
    rng = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(2, items + 2)
    pairs: list[tuple[int, int, float]] = []
    for user in range(users):
        own = np.arange(items) % 2 == user % 2
        chances = popularity * np.where(own, 8.0, 1.0)
        size = int(rng.integers(8, 30))
        rated = rng.choice(items, size, replace=False, p=chances / chances.sum())
        pairs += [
            (
                user,
                item,
                float(np.clip((4.5 if own[item] else 2.0) + rng.choice([-0.5, 0, 0.5]), 0.5, 5.0)),
            )
            for item in rated.tolist()
        ]
    order = rng.permutation(len(pairs))
    columns = np.array(pairs)[order]
    return Ratings(
        user_ids=tuple(str(user + 1) for user in range(users)),
        item_ids=tuple(str(item + 101) for item in range(items)),
        users=columns[:, 0].astype(np.int32),
        items=columns[:, 1].astype(np.int32),
        values=columns[:, 2],
        timestamps=1_000_000_000 + 60 * np.arange(len(pairs), dtype=np.int64),
        scale=Scale(0.5, 5.0),
    )


def dataset_of(ratings: Ratings) -> Dataset:
    """The ratings with titles, two genres and years."""
    size = len(ratings.item_ids)
    table = ItemTable(
        titles=tuple(f"Film {row}" for row in range(size)),
        genres=tuple((("Comedy",), ("Drama",))[row % 2] for row in range(size)),
        years=tuple(1950 + row % 60 for row in range(size)),
    )
    report = LoadReport(
        name="two tastes",
        path=Path("two-tastes.csv"),
        rows=len(ratings),
        duplicates=0,
        ratings=len(ratings),
        users=len(ratings.user_ids),
        rated_items=size,
        items=size,
        untitled=0,
        mean=float(ratings.values.mean()),
        scale=ratings.scale,
        scale_origin="given",
        first=None,
        last=None,
    )
    return Dataset(ratings, table, report)
