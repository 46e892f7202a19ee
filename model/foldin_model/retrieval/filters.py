"""Which items an answer may hold: genres, years, lists of ids, and what the user has seen.

Conditions become one mask over rows before the search, so that a page is full whenever enough
items pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foldin_model.arrays import Mask, Rows
from foldin_model.trained.catalog import NO_YEAR
from foldin_model.trained.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What a caller asks of items; empty fields ask nothing.

    Genres compare without case; an item passes `include_genres` with one of them. An item without
    a year passes neither bound. Ids that the model lacks are ignored, so that candidates of which
    it has none leave nothing.
    """

    include_genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    exclude_item_ids: tuple[str, ...] = ()
    candidate_item_ids: tuple[str, ...] = ()
    min_year: int | None = None
    max_year: int | None = None


NO_FILTER = ItemFilter()


def allowed_items(
    snapshot: Snapshot, conditions: ItemFilter, seen: Rows | None = None
) -> Mask | None:
    """The (n,) mask of available items that pass and are not `seen`; None if that is all."""
    catalog = snapshot.model.catalog
    mask = matching_items(snapshot, conditions)
    if len(catalog.unavailable) == 0 and (seen is None or len(seen) == 0):
        return mask
    if mask is None:
        mask = np.ones(len(snapshot), np.bool_)
    mask[catalog.unavailable] = False
    if seen is not None:
        mask[seen] = False
    return mask


def matching_items(snapshot: Snapshot, conditions: ItemFilter) -> Mask | None:
    """The (n,) mask of items that pass, available or not; None if all do."""
    if conditions == NO_FILTER:
        return None
    catalog = snapshot.model.catalog
    if conditions.candidate_item_ids:
        mask = np.zeros(len(snapshot), np.bool_)
        mask[catalog.rows(conditions.candidate_item_ids)] = True
    else:
        mask = np.ones(len(snapshot), np.bool_)
    if conditions.include_genres:
        mask &= _any_genre(snapshot, conditions.include_genres)
    if conditions.exclude_genres:
        mask &= ~_any_genre(snapshot, conditions.exclude_genres)
    if conditions.min_year is not None or conditions.max_year is not None:
        mask &= snapshot.years != NO_YEAR
    if conditions.min_year is not None:
        mask &= snapshot.years >= conditions.min_year
    if conditions.max_year is not None:
        mask &= snapshot.years <= conditions.max_year
    mask[catalog.rows(conditions.exclude_item_ids)] = False
    return mask


def _any_genre(snapshot: Snapshot, genres: Sequence[str]) -> Mask:
    mask = np.zeros(len(snapshot), np.bool_)
    for genre in genres:
        mask[snapshot.genres.find(genre.casefold())] = True
    return mask
