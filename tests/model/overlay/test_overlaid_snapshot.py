"""A version with an overlay answers as one that always had those items and lacked the hidden ones.

Every test runs on both structures: copied together, and merged when searched as mapped ones are.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foldin_model.arrays import Integers, Mask, Rows
from foldin_model.ids import Version
from foldin_model.index.index_builder import APPROXIMATE_KINDS
from foldin_model.lifecycle.installation import install, load
from foldin_model.lifecycle.publisher import Description, publish
from foldin_model.overlay import stacked_rows
from foldin_model.overlay.content_vectors import ContentVectors
from foldin_model.overlay.overlaid_snapshot import BLOCK_ITEMS, Overlayer
from foldin_model.personal.explanation import explain, rating_contributions
from foldin_model.personal.user_vectors import fold_user, query_of
from foldin_model.records.item_overlay import Overlay
from foldin_model.retrieval.diversity import diversify
from foldin_model.retrieval.filters import ItemFilter, allowed_items
from foldin_model.retrieval.search import Cursor, Hits, search, search_batch, search_space
from foldin_model.retrieval.similar_items import similar_items
from foldin_model.row_lists import RowLists
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.trained.content_map import Content, ContentMap
from foldin_model.trained.snapshot import Snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from overlays import hidden, new, overlay_of, rated
from planted import planted
from snapshots import planted_snapshot, state_of

N = 120
D = 8
SCARY = Content("Night of the Void", ("Horror",), 2024, ("dark",))
OVERLAY = overlay_of(
    new("late", 7),
    new("scary", 3, SCARY),
    new("unseen", 5, hidden=True),
    new("105", 4),  # the version has it
    hidden("101"),
    hidden("nowhere"),
)


@pytest.fixture(params=["copied", "mapped"])
def base(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """The planted version: copied with its overlay, or treated as too large to copy."""
    snapshot = planted_snapshot()
    if request.param == "copied":
        return snapshot
    monkeypatch.setattr(stacked_rows, "COPIED_ROWS", 10)
    manifest = replace(snapshot.manifest, index_kind="pruned")
    catalog = replace(snapshot.model.catalog, item_ids=list(snapshot.model.catalog.item_ids))
    return Snapshot.build(manifest, replace(snapshot.model, catalog=catalog))


@pytest.fixture
def laid(base: Snapshot) -> Snapshot:
    return Overlayer(base).apply(OVERLAY)


def ids(snapshot: Snapshot, rows: Rows | Integers) -> list[str]:
    return [snapshot.model.catalog.item_ids[row] for row in rows.tolist()]


def brute(snapshot: Snapshot, query: np.ndarray, mask: Mask | None) -> list[int]:
    """All allowed rows in canonical order, from the scores of every row."""
    rows = np.arange(len(snapshot))
    scores = (snapshot.model.items[rows].astype(np.float64) * query).sum(axis=1)
    order = np.lexsort((rows, -scores))
    return [row for row in order.tolist() if mask is None or mask[row]]


def test_an_empty_overlay_changes_nothing(base: Snapshot) -> None:
    assert Overlayer(base).apply(Overlay()) is base
    assert base.without_overlay is base


def test_new_items_take_the_rows_behind_in_order_of_arrival(laid: Snapshot) -> None:
    catalog = laid.model.catalog
    assert len(laid) == N + 3
    assert ids(laid, np.arange(N, N + 3)) == ["scary", "unseen", "late"]
    assert catalog.row("late") == N + 2
    assert catalog.row("101") == 0
    assert (catalog.titles[N], catalog.genres[N], catalog.years[N]) == (
        "Night of the Void",
        ("Horror",),
        2024,
    )
    assert catalog.rating_counts[N] == 0
    assert np.isnan(catalog.rating_means[N])
    assert catalog.described == {N, N + 1, N + 2}
    assert laid.is_in_version(N - 1)
    assert not laid.is_in_version(N)


def test_items_of_the_version_keep_its_content_and_lose_availability(
    base: Snapshot, laid: Snapshot
) -> None:
    catalog = laid.model.catalog
    assert catalog.row("105") == 4
    assert catalog.titles[4] == base.model.catalog.titles[4]
    assert ids(laid, catalog.unavailable) == ["101", "unseen"]
    assert not catalog.is_available(0)
    assert catalog.is_available(1)
    assert catalog.is_available(N)
    assert not catalog.is_available(N + 1)
    assert catalog.row("nowhere") is None
    assert Overlayer(base).absorbed(OVERLAY) == ["105"]


def test_availability_alone_copies_nothing(base: Snapshot) -> None:
    snapshot = Overlayer(base).apply(overlay_of(hidden("101")))
    assert snapshot.retrieval is base.retrieval
    assert snapshot.model.items is base.model.items
    mask = allowed_items(snapshot, ItemFilter())
    assert mask is not None
    assert np.flatnonzero(~mask).tolist() == [0]


@settings(max_examples=40)
@given(seed=st.integers(0, 30), count=st.integers(1, 60), cut=st.integers(0, 60))
def test_every_search_finds_the_best_of_both_parts(seed: int, count: int, cut: int) -> None:
    for base in (planted_snapshot(), _pruned()):
        laid = _mapped_apply(base) if base.manifest.index_kind == "pruned" else _apply(base)
        query = np.random.default_rng(seed).normal(size=laid.model.dimension)
        mask = allowed_items(laid, ItemFilter())
        expected = brute(laid, query, mask)
        found = search(laid, query, mask, count)
        assert found.rows.tolist() == expected[:count]
        whole = search(laid, query, mask, len(laid))
        after = Cursor(float(whole.scores[cut]), int(whole.rows[cut]))
        assert (
            search(laid, query, mask, count, after).rows.tolist()
            == (expected[cut + 1 : cut + 1 + count])
        )


def test_plain_searches_leave_hidden_items_out() -> None:
    laid = Overlayer(planted_snapshot()).apply(OVERLAY)
    query = np.ones(laid.model.dimension)
    hidden = RowLists.empty(1).each_with(laid.model.catalog.unavailable)
    found = search_batch(laid.retrieval, query[None, :], hidden, 20)
    assert found.rows[0].tolist() == brute(laid, query, allowed_items(laid, ItemFilter()))[:20]


def test_titles_genres_and_years_find_new_items(laid: Snapshot) -> None:
    assert ids(laid, laid.titles.find("void night")) == ["scary"]
    assert "late" in ids(laid, laid.titles.find("new"))
    assert ids(laid, laid.titles.find("horror story 2"))[0] == "103"
    mask = allowed_items(laid, ItemFilter(include_genres=("horror",), min_year=2020))
    assert mask is not None
    assert ids(laid, np.flatnonzero(mask)) == ["scary"]
    candidates = ItemFilter(candidate_item_ids=("late", "unseen", "102"))
    mask = allowed_items(laid, candidates)
    assert mask is not None
    assert ids(laid, np.flatnonzero(mask)) == ["102", "late"]


def test_a_new_item_is_similar_to_its_genre_and_found_from_it(laid: Snapshot) -> None:
    mask = allowed_items(laid, ItemFilter())
    near = similar_items(laid, N, mask, 10)
    assert all(laid.model.catalog.genres[row][0] == "Horror" for row in near.rows.tolist())
    assert N in similar_items(laid, int(near.rows[0]), mask, 40).rows
    assert 0 not in similar_items(laid, N, mask, len(laid)).rows


def test_a_user_who_rated_a_new_item_is_folded_and_explained_with_it(laid: Snapshot) -> None:
    state = state_of({"scary": 5.0, "102": 1.0})
    user = fold_user(laid, state)
    assert user.seen.tolist() == [1, N]
    query = query_of(laid, user)
    hits = search(laid, query, allowed_items(laid, ItemFilter(), user.seen), 10)
    assert N not in hits.rows
    contributions = rating_contributions(laid, user, state)
    for explanation, score in zip(
        explain(laid, user, contributions, hits.rows, 5), hits.scores, strict=True
    ):
        assert {row for row, _ in explanation.reasons} == {1, N}
        total = explanation.base + explanation.other + sum(part for _, part in explanation.reasons)
        assert np.isclose(total, score)
    shown = diversify(laid, Hits(np.array([N, 3, 5], np.int32), np.array([3.0, 2.0, 1.0])), 0.5, 1)
    assert shown[0] == N


def test_ratings_move_an_item_and_only_that_one(base: Snapshot) -> None:
    layer = Overlayer(base)
    before = layer.apply(overlay_of(new("a", 1), new("b", 2)))
    taste = np.linspace(-1, 1, D)
    ratings = {
        "ann": rated(5.0, taste, taste),
        "of old": rated(0.5, taste, taste, "another version"),
    }
    overlay = overlay_of(new("a", 1), new("b", 2, ratings=ratings))
    after = layer.apply(overlay)
    assert np.array_equal(before.model.items[N], after.model.items[N])
    assert after.model.catalog.described == {N}
    assert after.model.catalog.rating_counts[N + 1] == 2
    scores = [snapshot.model.items[N + 1][:D] @ taste for snapshot in (before, after)]
    wished = base.model.ranking_rule.target([5.0])[0]
    assert abs(scores[1] - wished) < abs(scores[0] - wished)
    alone = Overlayer(base).apply(overlay_of(new("b", 2, ratings={"ann": ratings["ann"]})))
    assert np.array_equal(after.model.items[N + 1], alone.model.items[N])


def test_one_overlayer_and_a_fresh_one_agree_after_any_changes(base: Snapshot) -> None:
    layer = Overlayer(base)
    overlay = overlay_of(*(new(f"i{k}", k) for k in range(BLOCK_ITEMS + 5)), revision=1)
    layer.apply(overlay)
    for revision, entry in enumerate(
        (
            new("i3", 3, SCARY),
            new("i4", 4, ratings={"ann": rated(5.0, np.ones(D), np.ones(D))}),
            new("more", BLOCK_ITEMS + 9),
            new("i5", 5, hidden=True),
        ),
        start=2,
    ):
        overlay = overlay_of(entry, revision=revision, before=overlay)
        one, other = layer.apply(overlay), Overlayer(base).apply(overlay)
        rows = np.arange(len(other))
        assert np.array_equal(one.model.items[rows], other.model.items[rows])
        assert np.array_equal(one.model.similarity[rows], other.model.similarity[rows])
        assert ids(one, one.titles.find("night")) == ids(other, other.titles.find("night"))
        assert np.array_equal(one.model.catalog.unavailable, other.model.catalog.unavailable)
    assert one.edition == ("planted", 5)


def test_an_item_without_a_known_genre_gets_the_mean_of_all_items(base: Snapshot) -> None:
    layer = Overlayer(base)
    laid = layer.apply(overlay_of(new("odd", 1, Content("Odd", ("Musical",)))))
    assert np.allclose(laid.model.items[N], base.model.items[:N].mean(axis=0), atol=1e-5)


def test_a_content_map_gives_the_row_of_a_new_item(base: Snapshot) -> None:
    width = sum(base.model.item_widths)
    weights = np.random.default_rng(0).normal(size=(1, width)).astype(np.float32)
    lengths = np.ones((3, width), np.float32)
    content = ContentMap(("genre=horror",), weights, lengths, np.full(width, 0.5, np.float32))
    mapped = replace(base, model=replace(base.model, content=content))
    laid = Overlayer(mapped).apply(OVERLAY)
    dimension = base.model.dimension
    assert np.allclose(laid.model.items[N], weights[0, :dimension] + 0.5)
    assert np.isclose(np.linalg.norm(laid.model.similarity[N]), 1.0)
    odd = Content(embedding=np.ones(7, np.float32))
    assert np.allclose(ContentVectors(mapped).rows([odd]), 0.5)


def test_spaces_of_an_overlaid_snapshot_have_the_width_of_their_rows(laid: Snapshot) -> None:
    for space, matrix in (
        (laid.retrieval, laid.model.items),
        (laid.similarity, laid.model.similarity),
    ):
        assert len(space) == len(laid) == len(matrix)
        assert space.vectors.shape == matrix.shape
        query = np.ones(matrix.shape[1])
        found = search_space(space, query, None, len(laid))
        assert sorted(found.rows.tolist()) == list(range(len(laid)))


@pytest.mark.parametrize("kind", APPROXIMATE_KINDS)
def test_over_an_approximate_index_every_new_item_is_found(kind: str, tmp_path: Path) -> None:
    made, store = planted(items=3_000, users=20), MemoryModelStore()
    about = Description("planted", 0, 0, "", {}, {})
    version = publish(made.model, made.users, about, store, index_kind=kind, recall_gate=0.5)
    path = install(store, Version(version.version), tmp_path)
    laid = Overlayer(Snapshot.build(*load(path))).apply(OVERLAY)
    new_rows = [3_000, 3_002]
    query = laid.model.items[new_rows].astype(float).sum(axis=0)
    mask = allowed_items(laid, ItemFilter())
    scores = laid.model.items @ query.astype(np.float32)
    found = search(laid, query, mask, 50)
    missed = set(new_rows) - set(found.rows.tolist())
    assert all(scores[row] <= found.scores[-1] for row in missed)
    assert not {0, 3_001} & set(found.rows.tolist())
    assert (np.diff(found.scores) <= 0).all()
    filtered = ItemFilter(candidate_item_ids=("scary", "late", "102"))
    assert set(search(laid, query, allowed_items(laid, filtered), 5).rows) == {1, *new_rows}


def _pruned() -> Snapshot:
    snapshot = planted_snapshot()
    return Snapshot.build(replace(snapshot.manifest, index_kind="pruned"), snapshot.model)


def _apply(base: Snapshot) -> Snapshot:
    return Overlayer(base).apply(OVERLAY)


def _mapped_apply(base: Snapshot) -> Snapshot:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacked_rows, "COPIED_ROWS", 10)
        return _apply(base)
