"""Approximate indexes: gated at publishing, mapped with the model, exact with a filter."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import Version
from foldin_model.index.approximate_index import APPROXIMATE, ApproximateIndex
from foldin_model.index.bounds import Bounds
from foldin_model.index.exact_index import PrunedIndex, Space
from foldin_model.index.index_builder import APPROXIMATE_KINDS, build
from foldin_model.lifecycle import installation, publisher
from foldin_model.lifecycle.publisher import Description
from foldin_model.retrieval.filters import NO_FILTER, allowed_items
from foldin_model.retrieval.search import search, search_space
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.trained.snapshot import Snapshot
from planted import Planted, planted

ABOUT = Description("mf+ials", 100, 0, "hash", {}, {})


@pytest.fixture(scope="module")
def made() -> Planted:
    return planted(items=3_000, users=60)


def published(made: Planted, kind: str, tmp_path: Path) -> Snapshot:
    store = MemoryModelStore()
    about = publisher.publish(
        made.model, made.users, ABOUT, store, index_kind=kind, recall_gate=0.5
    )
    assert about.index_kind == kind
    assert 0.5 <= about.index_recall <= 1.0
    return Snapshot.build(
        *installation.load(installation.install(store, Version(about.version), tmp_path))
    )


def test_every_kind_that_can_be_built_can_be_served() -> None:
    assert tuple(APPROXIMATE) == APPROXIMATE_KINDS


@pytest.mark.parametrize("kind", APPROXIMATE_KINDS)
def test_a_published_index_answers_from_the_mapped_model(
    made: Planted, kind: str, tmp_path: Path
) -> None:
    snapshot = published(made, kind, tmp_path)
    exact = Space.of(made.model.items, kind="pruned")
    assert isinstance(snapshot.retrieval.index, ApproximateIndex)
    common = 0
    for ranking, rating in zip(
        made.users.ranking_vectors[:20], made.users.rating_vectors[:20], strict=True
    ):
        query = made.model.query(ranking.astype(float), rating.astype(float))
        found = search(snapshot, query, None, 10)
        assert len(found) == 10
        assert (np.diff(found.scores) <= 0).all()
        common += len(np.intersect1d(found.rows, search_space(exact, query, None, 10).rows))
    assert common >= 100


@pytest.mark.parametrize("kind", APPROXIMATE_KINDS)
def test_filters_and_later_pages_are_exact(made: Planted, kind: str, tmp_path: Path) -> None:
    snapshot = published(made, kind, tmp_path)
    exact = Space.of(made.model.items, kind="pruned")
    mask = np.arange(len(snapshot)) % 7 == 3
    query = snapshot.popular_query
    filtered, best = search(snapshot, query, mask, 30), search_space(exact, query, mask, 30)
    assert filtered.rows.tolist() == best.rows.tolist()
    later = search(snapshot, query, None, 30, best.last)
    assert later.rows.tolist() == search_space(exact, query, None, 30, best.last).rows.tolist()


@pytest.mark.parametrize("kind", APPROXIMATE_KINDS)
def test_seen_items_are_never_recommended_and_the_page_is_full(
    made: Planted, kind: str, tmp_path: Path
) -> None:
    snapshot = published(made, kind, tmp_path)
    seen = search(snapshot, snapshot.popular_query, None, 50).rows
    unseen = allowed_items(snapshot, NO_FILTER, np.sort(seen))
    page = search(snapshot, snapshot.popular_query, unseen, 20)
    assert len(page) == 20
    assert not np.isin(page.rows, seen).any()


def test_an_index_that_finds_too_little_is_not_published(made: Planted) -> None:
    store = MemoryModelStore()
    with pytest.raises(ValueError, match=r"'ivf' finds 0\.\d+ of the best 10, .* gate's 0\.9999"):
        publisher.publish(
            made.model, made.users, ABOUT, store, index_kind="ivf", recall_gate=0.9999
        )
    assert store.versions() == []


def test_an_index_over_other_rows_is_refused(made: Planted) -> None:
    vectors = made.model.items
    stored = build("half", vectors[:100], vectors[:2], 1).stored
    scan = PrunedIndex(vectors, Bounds.of(vectors, vectors.shape[1]))
    with pytest.raises(ArtifactCorrupt, match=r"has 100 rows of 17 numbers; the model has 3000"):
        ApproximateIndex("half", vectors, stored, scan)
    with pytest.raises(ArtifactCorrupt, match="half index can't be read"):
        ApproximateIndex("half", vectors, stored[:40].copy(), scan)


def test_a_version_without_the_index_it_names_is_refused(made: Planted) -> None:
    store = MemoryModelStore()
    about = publisher.publish(made.model, made.users, ABOUT, store, index_kind="pruned")
    with pytest.raises(ArtifactCorrupt, match="has index 'hnsw', but the model holds none"):
        Snapshot.build(replace(about, index_kind="hnsw"), made.model)
