"""Clusters: planted groups are found, numbered from 1 by size, and named for people."""

import numpy as np
import pytest
from foldin_trainer.data.items import ItemTable
from foldin_trainer.learning.items.clusters import Clustering, cluster_items

GENRES = ("Crime", "Western")


@pytest.fixture
def clustering() -> Clustering:
    """Eight items around one direction, four around another, one of either genre unrated."""
    rng = np.random.default_rng(0)
    groups = np.array([0] * 8 + [1] * 4 + [0, 1])
    vectors = (np.eye(2)[groups] + 0.01 * rng.normal(size=(14, 2))).astype(np.float32)
    vectors[12:] = 0.0
    titles = [f"Film {row}" for row in range(14)]
    titles[0] = "Usual Suspects, The (a.k.a. Some)"
    items = ItemTable(tuple(titles), tuple((GENRES[group],) for group in groups), (None,) * 14)
    counts = np.array([50, 40, *[5] * 6, *[9] * 4, 0, 0])
    return cluster_items(vectors, counts, items, seed=0)


def test_groups_are_found_and_numbered_from_one_by_size(clustering: Clustering) -> None:
    assert clustering.ids.tolist()[:12] == [1] * 8 + [2] * 4
    assert [cluster.id for cluster in clustering.clusters] == [1, 2]
    assert [cluster.size for cluster in clustering.clusters] == [9, 5]


def test_items_without_ratings_join_by_their_genres(clustering: Clustering) -> None:
    assert clustering.ids[12:].tolist() == [1, 2]


def test_a_name_is_genres_and_the_most_rated_titles(clustering: Clustering) -> None:
    assert clustering.clusters[0].name == "Crime: The Usual Suspects, Film 1"
    assert clustering.clusters[0].genres == ("Crime",)


@pytest.mark.filterwarnings("error")
def test_there_are_no_more_clusters_than_distinct_directions() -> None:
    items = ItemTable(("",) * 90, ((),) * 90, (None,) * 90)
    on_a_line = np.random.default_rng(0).normal(size=(90, 1)).astype(np.float32)
    vectors = on_a_line * np.array([[1.0, 1e-8]], np.float32)
    vectors += 1e-9 * np.random.default_rng(1).normal(size=(90, 2)).astype(np.float32)
    clustering = cluster_items(vectors, np.full(90, 5), items, seed=0)
    assert [cluster.id for cluster in clustering.clusters] == [1, 2]
    signs = np.sign(on_a_line[:, 0])
    assert set(zip(signs.tolist(), clustering.ids.tolist(), strict=True)) in (
        {(1.0, 1), (-1.0, 2)},
        {(1.0, 2), (-1.0, 1)},
    )


def test_a_catalog_without_genres_and_titles_still_has_names() -> None:
    items = ItemTable(("",) * 9, ((),) * 9, (None,) * 9)
    vectors = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    clustering = cluster_items(vectors, np.arange(9), items, seed=0)
    assert {cluster.name for cluster in clustering.clusters} == {"Group 1", "Group 2"}
    assert sorted(set(clustering.ids.tolist())) == [1, 2]
