"""`min_rating_count` hides items with fewer ratings than that, wherever there is a filter."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner
from foldin.v1 import catalog_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.ratings_pb2 import ItemFilter
from foldin_client import AsyncClient, Filter
from foldin_client.cli import main
from server.live import Live, failure, ids, settled
from server.new_items import NIGHT, OLD, item, upsert

LEAST = 3
FEW = ItemFilter(min_rating_count=LEAST)


async def counts(app: Live) -> dict[str, int]:
    """How many ratings each item has, as GetItem shows it."""
    every = await app.catalog.ListItems(catalog_pb2.ListItemsRequest(page_size=200))
    return {each.item_id: (await item(app, each.item_id)).rating_count for each in every.items}


async def pages(ask: Any, **fields: Any) -> list[str]:
    """The ids on all pages of a list."""
    shown: list[str] = []
    token = ""
    while True:
        page = await ask(page_size=7, page_token=token, **fields)
        shown += ids(page)
        if not (token := page.next_page_token):
            return shown


def asking(stub: Any, request: Any) -> Any:
    return lambda **fields: stub(request(**fields))


async def lists(app: Live, least: ItemFilter | None) -> dict[str, list[str]]:
    """Every list that takes a filter, to its last page."""
    recommend = asking(app.recommendations.Recommend, pb.RecommendRequest)
    similar = asking(app.recommendations.SimilarItems, pb.SimilarItemsRequest)
    items = asking(app.catalog.ListItems, catalog_pb2.ListItemsRequest)
    popular = asking(app.catalog.ListPopularItems, catalog_pb2.ListPopularItemsRequest)
    batch = await app.recommendations.BatchRecommend(
        pb.BatchRecommendRequest(
            requests=[pb.RecommendRequest(user_id="1", page_size=200, filter=least)]
        )
    )
    return {
        "Recommend": await pages(recommend, user_id="1", filter=least),
        "explained": await pages(recommend, user_id="1", filter=least, include_explanations=True),
        "varied": await pages(
            recommend, user_id="1", filter=least, diversity=pb.Diversity(strength=0.3)
        ),
        "a stranger's": await pages(recommend, user_id="stranger", filter=least),
        "BatchRecommend": ids(batch.results[0].response),
        "SimilarItems": await pages(similar, item_id=OLD, filter=least),
        "ListItems": await pages(items, filter=least),
        "ListPopularItems": await pages(popular, filter=least),
    }


async def test_every_list_holds_just_the_items_with_enough_ratings(app: Live) -> None:
    rated = await counts(app)
    enough = {item_id for item_id, count in rated.items() if count >= LEAST}
    assert 0 < len(enough) < len(rated)
    whole, filtered = await lists(app, None), await lists(app, FEW)
    for name, shown in filtered.items():
        assert len(shown) == len(set(shown)), name
        assert set(shown) == set(whole[name]) & enough, name
    for name in ("Recommend", "SimilarItems", "ListItems", "ListPopularItems"):
        assert filtered[name] == [each for each in whole[name] if each in enough], name


async def test_a_count_without_items_leaves_no_item_and_zero_leaves_all(app: Live) -> None:
    most = max((await counts(app)).values())
    none = await lists(app, ItemFilter(min_rating_count=most + 1))
    assert all(shown == [] for shown in none.values())
    assert await lists(app, ItemFilter(min_rating_count=0)) == await lists(app, None)


async def test_a_new_item_appears_with_its_first_rating(app: Live) -> None:
    await upsert(app, NIGHT)
    once = ItemFilter(min_rating_count=1)

    async def shown() -> Sequence[str]:
        answer = await app.catalog.ListItems(
            catalog_pb2.ListItemsRequest(page_size=200, filter=once)
        )
        return ids(answer)

    assert "night" not in await shown()
    await app.rate("rater", "night", 5.0)
    await settled(shown, lambda found: "night" in found)
    assert (await item(app, "night")).rating_count == 1


async def test_a_negative_count_is_refused(app: Live) -> None:
    failed = await failure(app.recommend("1", filter=ItemFilter(min_rating_count=-1)))
    assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert failed.fields == ["filter.min_rating_count"]


@pytest.mark.parametrize("command", [("recommend", "1"), ("popular",), ("similar", OLD)])
async def test_the_client_and_its_commands_take_it(app: Live, command: tuple[str, ...]) -> None:
    rated = await counts(app)
    async with AsyncClient(app.server.address) as client:
        page = await client.recommend("1", filter=Filter(min_rating_count=LEAST))
    assert page.items
    assert all(rated[each.item_id] >= LEAST for each in page.items)
    options = ("--min-rating-count", str(LEAST), "--address", app.server.address, "--json")
    done = await asyncio.to_thread(CliRunner().invoke, main, [*command, *options])
    assert done.exit_code == 0, done.output
    found = [each["item_id"] for each in json.loads(done.stdout)["items"]]
    assert found
    assert all(rated[each] >= LEAST for each in found)
