"""Similar items: order, pages, filters."""

import numpy as np
from foldin_model.retrieval.filters import ItemFilter, allowed_items
from foldin_model.retrieval.similar_items import similar_items
from hypothesis import given
from hypothesis import strategies as st
from snapshots import planted_snapshot

SNAPSHOT = planted_snapshot()
SIMILARITY = SNAPSHOT.model.similarity.astype(np.float64)
rows = st.integers(0, len(SNAPSHOT) - 1)


@given(row=rows, count=st.integers(1, 130))
def test_the_most_similar_come_first_without_the_item_itself(row: int, count: int) -> None:
    hits = similar_items(SNAPSHOT, row, None, count)
    scores = (SIMILARITY * SIMILARITY[row]).sum(axis=1)
    others = [other for other in np.argsort(-scores, kind="stable").tolist() if other != row]
    assert hits.rows.tolist() == others[:count]
    np.testing.assert_array_equal(hits.scores, scores[hits.rows])


@given(row=rows, size=st.integers(1, 30))
def test_pages_make_up_the_whole_list(row: int, size: int) -> None:
    found: list[int] = []
    after = None
    while len(hits := similar_items(SNAPSHOT, row, None, size, after)):
        found += hits.rows.tolist()
        after = hits.last
    assert found == similar_items(SNAPSHOT, row, None, len(SNAPSHOT)).rows.tolist()


@given(row=rows)
def test_films_of_the_same_planted_group_lead(row: int) -> None:
    clusters = SNAPSHOT.model.catalog.cluster_ids
    leading = similar_items(SNAPSHOT, row, None, 10).rows
    assert (clusters[leading] == clusters[row]).mean() >= 0.5


def test_filters_hold_and_stay_as_they_were() -> None:
    mask = allowed_items(SNAPSHOT, ItemFilter(include_genres=("drama",)))
    assert mask is not None
    before = mask.copy()
    hits = similar_items(SNAPSHOT, 1, mask, 20)
    assert len(hits) == 20
    assert mask[hits.rows].all()
    assert 1 not in hits.rows
    np.testing.assert_array_equal(mask, before)
