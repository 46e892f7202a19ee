"""Filters: which items an answer may hold, by genre, year, id, and what the user has seen.

A filter becomes one mask over rows before the search, so that a page is full whenever enough items
pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foldin_model.arrays import Mask, Rows
from foldin_model.trained.catalog import NO_YEAR
from foldin_model.trained.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """The items that a caller wants; an empty field excludes nothing.

    Genres compare without case; an item passes `include_genres` with one of them. An item without
    a year passes neither bound. Ids that the model lacks are ignored: if it lacks every candidate,
    no item passes.
    """

    include_genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    exclude_item_ids: tuple[str, ...] = ()
    candidate_item_ids: tuple[str, ...] = ()
    min_year: int | None = None
    max_year: int | None = None
    min_rating_count: int = 0


NO_FILTER = ItemFilter()


def allowed_items(
    snapshot: Snapshot, item_filter: ItemFilter, seen: Rows | None = None
) -> Mask | None:
    """Returns the (n,) mask of available items that pass and are not `seen`; None if all are."""
    catalog = snapshot.model.catalog
    mask = matching_items(snapshot, item_filter)
    if len(catalog.unavailable) == 0 and (seen is None or len(seen) == 0):
        return mask
    if mask is None:
        mask = np.ones(len(snapshot), np.bool_)
    mask[catalog.unavailable] = False
    if seen is not None:
        mask[seen] = False
    return mask


def matching_items(snapshot: Snapshot, item_filter: ItemFilter) -> Mask | None:
    """Returns the (n,) mask of items that pass, available or not; None if all do."""
    if item_filter == NO_FILTER:
        return None
    catalog = snapshot.model.catalog
    if item_filter.candidate_item_ids:
        mask = np.zeros(len(snapshot), np.bool_)
        mask[catalog.rows(item_filter.candidate_item_ids)] = True
    else:
        mask = np.ones(len(snapshot), np.bool_)
    if item_filter.include_genres:
        mask &= _any_genre(snapshot, item_filter.include_genres)
    if item_filter.exclude_genres:
        mask &= ~_any_genre(snapshot, item_filter.exclude_genres)
    if item_filter.min_year is not None or item_filter.max_year is not None:
        mask &= snapshot.years != NO_YEAR
    if item_filter.min_year is not None:
        mask &= snapshot.years >= item_filter.min_year
    if item_filter.max_year is not None:
        mask &= snapshot.years <= item_filter.max_year
    if item_filter.min_rating_count > 0:
        mask &= catalog.rating_counts >= item_filter.min_rating_count
    mask[catalog.rows(item_filter.exclude_item_ids)] = False
    return mask


def _any_genre(snapshot: Snapshot, genres: Sequence[str]) -> Mask:
    mask = np.zeros(len(snapshot), np.bool_)
    for genre in genres:
        mask[snapshot.genres.find(genre.casefold())] = True
    return mask
