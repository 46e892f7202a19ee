"""Filters: exactly the items that pass are allowed."""

import numpy as np
import pytest
from foldin_model.arrays import Rows
from foldin_model.retrieval.filters import ItemFilter, allowed_items
from foldin_model.retrieval.search import search
from hypothesis import given
from hypothesis import strategies as st
from snapshots import planted_snapshot

SNAPSHOT = planted_snapshot()
CATALOG = SNAPSHOT.model.catalog
GENRES = ("comedy", "DRAMA", "Horror", "Western", "Long", "Opera")

ids = st.lists(st.sampled_from((*CATALOG.item_ids, "unheard-of")), max_size=60).map(tuple)
genres = st.lists(st.sampled_from(GENRES), max_size=3).map(tuple)
years = st.none() | st.integers(1940, 2030)
conditions = st.builds(
    ItemFilter,
    include_genres=genres,
    exclude_genres=genres,
    exclude_item_ids=ids,
    candidate_item_ids=ids,
    min_year=years,
    max_year=years,
)
seen_rows = st.sets(st.integers(0, len(CATALOG) - 1), max_size=50).map(
    lambda rows: np.array(sorted(rows), np.int32)
)


def passes(row: int, item_filter: ItemFilter, seen: set[int]) -> bool:
    """Returns whether an item passes, as the contract states it."""
    has = {genre.casefold() for genre in CATALOG.genres[row]}
    year, item_id = CATALOG.years[row], CATALOG.item_ids[row]
    return (
        row not in seen
        and item_id not in item_filter.exclude_item_ids
        and (not item_filter.candidate_item_ids or item_id in item_filter.candidate_item_ids)
        and (
            not item_filter.include_genres
            or bool(has & {g.casefold() for g in item_filter.include_genres})
        )
        and not has & {g.casefold() for g in item_filter.exclude_genres}
        and (item_filter.min_year is None or (year is not None and year >= item_filter.min_year))
        and (item_filter.max_year is None or (year is not None and year <= item_filter.max_year))
    )


@given(item_filter=conditions, seen=seen_rows)
def test_exactly_the_items_that_pass_are_allowed(item_filter: ItemFilter, seen: Rows) -> None:
    mask = allowed_items(SNAPSHOT, item_filter, seen)
    expected = [passes(row, item_filter, set(seen.tolist())) for row in range(len(CATALOG))]
    if mask is None:
        assert all(expected)
    else:
        assert mask.tolist() == expected


@given(item_filter=conditions, seen=seen_rows)
def test_a_list_holds_what_passes_and_is_full(item_filter: ItemFilter, seen: Rows) -> None:
    hits = search(SNAPSHOT, SNAPSHOT.popular_query, allowed_items(SNAPSHOT, item_filter, seen), 10)
    passing = sum(passes(row, item_filter, set(seen.tolist())) for row in range(len(CATALOG)))
    assert all(passes(row, item_filter, set(seen.tolist())) for row in hits.rows.tolist())
    assert len(hits) == min(10, passing)


def test_without_a_filter_and_seen_rows_there_is_no_mask() -> None:
    assert allowed_items(SNAPSHOT, ItemFilter()) is None
    assert allowed_items(SNAPSHOT, ItemFilter(), np.zeros(0, np.int32)) is None


@pytest.mark.parametrize(
    "item_filter",
    [
        ItemFilter(candidate_item_ids=("unheard-of",)),
        ItemFilter(include_genres=("Opera",)),
        ItemFilter(min_year=2000, max_year=1999),
    ],
)
def test_a_filter_that_no_item_passes_leaves_nothing(item_filter: ItemFilter) -> None:
    mask = allowed_items(SNAPSHOT, item_filter)
    assert mask is not None
    assert not mask.any()
    assert len(search(SNAPSHOT, SNAPSHOT.popular_query, mask, 10)) == 0


def test_an_item_without_a_year_passes_neither_bound() -> None:
    undated = [row for row, year in enumerate(CATALOG.years) if year is None]
    for item_filter in (ItemFilter(min_year=0), ItemFilter(max_year=9_999)):
        mask = allowed_items(SNAPSHOT, item_filter)
        assert mask is not None
        assert undated
        assert not mask[undated].any()
