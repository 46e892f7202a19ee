"""Imports ratings into a store as the histories of their users, by the store's write rule.

A newer rating in the store is kept, and a second import changes nothing.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Integers
from foldin_model.errors import HistoryFull
from foldin_model.ids import ItemId, UserId
from foldin_model.store.protocols import (
    MAX_RATINGS_A_USER,
    ImportedRating,
    ImportOutcome,
    RatingStore,
)

from foldin_trainer.data.ratings import Ratings

RATINGS_IN_FLIGHT: Final = 20_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many users and ratings an import handled.

    `left_out` counts the oldest ratings of users with more than the store keeps, and all ratings
    of users whose history is full already.
    """

    users: int
    stored: int
    unchanged: int
    left_out: int


@dataclass(frozen=True, slots=True, eq=False)
class _UserImport:
    user_id: UserId
    index: Integers
    left_out: int


async def import_histories(
    ratings: Ratings, store: RatingStore, progress: Callable[[int, int], None]
) -> ImportReport:
    """Writes every rating to the store unless it holds a newer one; one call for each user.

    Event times are the timestamps or, without them, positions in the file as microseconds after
    1970, so that any later rating wins. `progress` is called with the number of ratings done and
    of all. Raises StoreUnavailable; what is stored by then stays, and a repeated import completes
    it.
    """
    times = event_times_us(ratings)
    stored = unchanged = left_out = users = done = 0
    for batch in _batches(ratings, times):
        outcomes = await asyncio.gather(
            *(_import_user(store, one.user_id, _history(ratings, times, one)) for one in batch)
        )
        for one, outcome in zip(batch, outcomes, strict=True):
            size = len(one.index)
            users += 1
            done += size + one.left_out
            left_out += one.left_out + (size if outcome is None else 0)
            if outcome is not None:
                stored += outcome.stored
                unchanged += outcome.unchanged
        progress(done, len(ratings))
    return ImportReport(users, stored, unchanged, left_out)


def event_times_us(ratings: Ratings) -> Integers:
    """Returns each rating's event time, (n,) microseconds since 1970; without times, 1 to n."""
    if ratings.timestamps is None:
        return np.arange(1, len(ratings) + 1)
    return ratings.timestamps * 1_000_000


async def _import_user(
    store: RatingStore, user_id: UserId, history: list[ImportedRating]
) -> ImportOutcome | None:
    try:
        return await store.import_ratings(user_id, history)
    except HistoryFull:
        return None


def _history(ratings: Ratings, times: Integers, one: _UserImport) -> list[ImportedRating]:
    columns = (ratings.items[one.index], ratings.values[one.index], times[one.index])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [ImportedRating(ItemId(ratings.item_ids[i]), value, time) for i, value, time in rows]


def _batches(ratings: Ratings, times: Integers) -> Iterator[list[_UserImport]]:
    """Yields the users in batches of about RATINGS_IN_FLIGHT ratings."""
    order = np.lexsort((times, ratings.users))
    counts = np.bincount(ratings.users, minlength=len(ratings.user_ids))
    batch: list[_UserImport] = []
    size = 0
    for user, index in enumerate(np.split(order, np.cumsum(counts)[:-1])):
        if not len(index):
            continue
        latest = index[-MAX_RATINGS_A_USER:]
        batch.append(_UserImport(UserId(ratings.user_ids[user]), latest, len(index) - len(latest)))
        size += len(latest)
        if size >= RATINGS_IN_FLIGHT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
