"""The catalog as CatalogService shows it."""

import numpy as np
from foldin.v1 import catalog_pb2 as pb
from foldin.v1 import ratings_pb2
from planted import Planted
from server.live import Live, ids


async def test_an_item_is_shown_with_what_is_known_of_it(app: Live, small: Planted) -> None:
    answer = await app.catalog.GetItem(pb.GetItemRequest(item_id="101"))
    catalog = small.model.catalog
    assert answer.item.title == catalog.titles[0]
    assert answer.item.rating_count == catalog.rating_counts[0]
    assert np.isclose(answer.item.mean_rating, catalog.rating_means[0])
    assert answer.model_version == app.server.snapshots.serving().version


async def test_titles_are_found_best_match_first_and_filtered(app: Live, small: Planted) -> None:
    found = await app.catalog.ListItems(pb.ListItemsRequest(query="horror story 2"))
    assert found.items[0].title == "Horror Story 2"
    assert found.total_size == len(
        [t for t in small.model.catalog.titles if "Horror" in t and " 2" in t]
    )
    filtered = await app.catalog.ListItems(
        pb.ListItemsRequest(
            query="story", filter=ratings_pb2.ItemFilter(include_genres=["Western"], max_year=1980)
        )
    )
    assert filtered.items
    assert all("Western" in item.genres and item.year <= 1980 for item in filtered.items)


async def test_every_item_is_listed_once_by_rating_count(app: Live) -> None:
    shown: list[pb.Item] = []
    token = ""
    while True:
        page = await app.catalog.ListItems(pb.ListItemsRequest(page_size=50, page_token=token))
        shown += page.items
        token = page.next_page_token
        if not token:
            break
    counts = [item.rating_count for item in shown]
    assert counts == sorted(counts, reverse=True)
    assert len({item.item_id for item in shown}) == page.total_size == 120


async def test_clusters_are_shown_with_their_most_rated_items(app: Live) -> None:
    answer = await app.catalog.ListItemClusters(pb.ListItemClustersRequest(max_items=3))
    assert [cluster.cluster_id for cluster in answer.clusters] == [1, 2, 3, 4]
    for cluster in answer.clusters:
        assert cluster.size == 30
        assert len(cluster.items) == 3
        assert {item.cluster_id for item in cluster.items} == {cluster.cluster_id}
    everything = await app.catalog.ListItemClusters(pb.ListItemClustersRequest(max_items=99))
    assert len(everything.clusters[0].items) == 30


async def test_popular_items_are_those_that_an_unknown_user_sees(app: Live) -> None:
    popular = await app.catalog.ListPopularItems(pb.ListPopularItemsRequest(page_size=20))
    assert ids(popular) == ids(await app.recommend("stranger", 20))
    assert popular.serving_info.personalization == ratings_pb2.PERSONALIZATION_POPULAR
    following = await app.catalog.ListPopularItems(
        pb.ListPopularItemsRequest(page_size=20, page_token=popular.next_page_token)
    )
    assert not set(ids(following)) & set(ids(popular))
