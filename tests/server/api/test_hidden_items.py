"""Hidden items are in no list of any server, and pages of a list neither repeat nor skip."""

import pytest
from foldin.v1 import catalog_pb2 as pb
from foldin.v1 import ratings_pb2
from foldin.v1 import recommendation_pb2 as rpb
from foldin_server.process.stores import Stores
from planted import planted
from server.live import (
    Live,
    ids,
    publish_version,
    settled,
    until,
)
from server.new_items import NIGHT, OLD, everything, item, search, show, similar, upsert


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_hidden_items_are_in_no_list_of_any_server(app: Live, other_app: Live) -> None:
    await upsert(app, NIGHT)
    first = await app.recommend("1", 20)
    hidden = [ids(first)[0], (await everything(app, "1"))[25], "night"]
    answer = await show(app, *hidden, available=False)
    await until(lambda: other_app.server.snapshots.serving().overlay_revision > 0)
    await settled(lambda: everything(other_app, "1"), lambda shown: "night" not in shown)
    for server in (app, other_app):
        lists = (
            await everything(server, "1"),
            await everything(server, "stranger"),
            await everything(server, "1", diversity=rpb.Diversity(strength=0.2)),
            await everything(server, "1", filter=ratings_pb2.ItemFilter(min_year=1)),
            await similar(server, OLD, 200),
            await search(server, "", page_size=200),
            ids(await server.catalog.ListPopularItems(pb.ListPopularItemsRequest(page_size=200))),
            [
                shown.item_id
                for cluster in (
                    await server.catalog.ListItemClusters(pb.ListItemClustersRequest(max_items=50))
                ).clusters
                for shown in cluster.items
            ],
        )
        for shown in lists:
            assert shown
            assert not set(shown) & set(hidden)
        assert len(ids(await server.recommend("1", 20))) == 20
        assert not (await item(server, hidden[0])).available
        everyone = await search(server, "", page_size=200, include_unavailable=True)
        assert set(hidden) <= set(everyone)
    assert (await show(app, *hidden, available=False)).overlay_revision == answer.overlay_revision
    await show(app, *hidden, available=True)
    assert ids(await app.recommend("1", 20)) == ids(first)


@pytest.mark.parametrize("diversity", [None, rpb.Diversity(strength=0.2)], ids=["score", "mmr"])
async def test_an_older_page_token_shows_no_hidden_item_and_full_pages(
    app: Live, diversity: rpb.Diversity | None
) -> None:
    whole = await everything(app, "1", diversity=diversity)
    first = await app.recommend("1", 10, diversity=diversity)
    await show(app, *whole[12:18], available=False)
    second = await app.recommend("1", 10, diversity=diversity, page_token=first.next_page_token)
    assert ids(second) == [*whole[10:12], *whole[18:26]]


async def test_hiding_moves_no_page_of_a_catalog_listing(app: Live) -> None:
    whole = await search(app, "", page_size=200)
    first = await app.catalog.ListItems(pb.ListItemsRequest(page_size=10))
    await show(app, whole[3], whole[12], available=False)
    request = pb.ListItemsRequest(page_size=10, page_token=first.next_page_token)
    second = await app.catalog.ListItems(request)
    assert ids(second) == [*whole[10:12], *whole[13:21]]
    assert second.total_size == len(whole) - 2


async def test_a_cached_answer_is_not_sent_after_an_item_was_hidden(app: Live) -> None:
    rated = await app.rate("new", OLD, 5.0)
    before = await app.recommend("new", min_user_revision=rated.user_revision)
    again = await app.recommend("new", min_user_revision=rated.user_revision)
    assert before == again
    await show(app, ids(before)[0], available=False)
    after = await app.recommend("new", min_user_revision=rated.user_revision)
    assert ids(after)[:9] == ids(before)[1:]


async def test_a_page_of_the_replaced_model_shows_no_item_hidden_since(
    app: Live, stores: Stores
) -> None:
    whole = await everything(app, "1")
    first = await app.recommend("1", 10)
    version = publish_version(planted(seed=1), stores.models)
    await settled(
        lambda: app.recommend("1"), lambda answer: answer.serving_info.model_version == version
    )
    await show(app, whole[11], available=False)
    second = await app.recommend("1", 10, page_token=first.next_page_token)
    assert ids(second) == [whole[10], *whole[12:21]]
