"""New items are recommended within a second on every server, and first ratings move them."""

import asyncio
import math
import time
from dataclasses import replace

import pytest
from foldin.v1 import catalog_pb2 as pb
from foldin.v1 import model_pb2, ratings_pb2
from foldin.v1 import recommendation_pb2 as rpb
from foldin_model.ids import ItemId, UserId
from foldin_model.records.item_overlay import Overlay
from foldin_model.store.protocols import ImportedRating
from foldin_model.trained.snapshot import Snapshot
from foldin_server.process.stores import Stores
from foldin_server.versions.snapshots import Snapshots
from planted import Planted, planted
from server.live import (
    Live,
    ids,
    ids_of,
    import_histories,
    live,
    publish_version,
    settled,
    until,
)
from server.new_items import NIGHT, OLD, everything, item, predicted, search, show, similar, upsert


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_another_server_recommends_a_new_item_within_a_second(
    app: Live, other_app: Live
) -> None:
    assert "night" not in await everything(other_app, "1")
    answer = await upsert(app, NIGHT)
    started = time.monotonic()
    assert "night" in await everything(app, "1")  # this server serves it at once
    await settled(lambda: everything(other_app, "1"), lambda shown: "night" in shown)
    assert time.monotonic() - started < 1.0
    assert answer.model_version == app.server.snapshots.serving().version
    served = await other_app.models.GetServingModel(model_pb2.GetServingModelRequest())
    assert served.overlay_revision == answer.overlay_revision


async def test_a_new_item_is_in_the_answers_of_every_rpc(app: Live) -> None:
    await upsert(app, NIGHT)
    shown = await item(app, "night")
    assert (shown.title, list(shown.genres), shown.year) == ("Night of the Void", ["Horror"], 2024)
    assert (shown.available, shown.source) == (True, ratings_pb2.SOURCE_CONTENT)
    assert shown.rating_count == shown.cluster_id == 0
    assert not shown.HasField("mean_rating")
    assert (await item(app, OLD)).source == ratings_pb2.SOURCE_COLLABORATIVE
    assert await search(app, "void night") == ["night"]
    assert "night" in await search(app, "", page_size=200)
    near = await similar(app, "night")
    assert {"Horror"} <= set((await item(app, near[0])).genres)
    assert "night" in await similar(app, near[0])
    recent = ratings_pb2.ItemFilter(min_year=2024)
    (only,) = (await app.recommend("1", filter=recent)).items
    assert (only.item_id, only.source) == ("night", ratings_pb2.SOURCE_CONTENT)
    assert only.title == "Night of the Void"
    assert 0.5 <= only.predicted_rating <= 5.0
    assert math.isclose(await predicted(app, "1", "night"), only.predicted_rating, rel_tol=1e-5)
    wanted = ratings_pb2.ItemFilter(candidate_item_ids=["night", OLD])
    assert set(ids(await app.recommend("stranger", filter=wanted))) == {"night", OLD}
    popular = await app.catalog.ListPopularItems(pb.ListPopularItemsRequest(page_size=200))
    assert "night" in ids(popular)


async def test_every_way_to_list_agrees_on_the_place_of_a_new_item(app: Live) -> None:
    await upsert(app, NIGHT, *(pb.NewItem(item_id=f"n{k}", title=f"N {k}") for k in range(5)))
    whole = await everything(app, "1")
    assert ids_of(await app.pages("1", 7)) == whole
    assert ids(await app.recommend("1", 200, include_explanations=True)) == whole
    diverse = rpb.Diversity(strength=0.3)
    assert set(ids_of(await app.pages("1", 50, diversity=diverse))) == set(whole)
    explained = (await app.recommend("1", 200, include_explanations=True)).items
    for shown in explained:
        parts = sum(reason.contribution for reason in shown.reasons)
        total = shown.base_score + parts + shown.other_contributions
        assert math.isclose(total, shown.score, rel_tol=1e-3, abs_tol=1e-3)


async def test_the_same_items_again_change_nothing(app: Live) -> None:
    first = await upsert(app, NIGHT)
    assert (await upsert(app, NIGHT)).overlay_revision == first.overlay_revision
    other = pb.NewItem(item_id="night", title="Day of the Void")
    assert (await upsert(app, other)).overlay_revision > first.overlay_revision
    assert (await item(app, "night")).title == "Day of the Void"
    assert await search(app, "night") == []


async def test_an_item_that_the_model_was_trained_with_keeps_its_content(
    app: Live, small: Planted
) -> None:
    answer = await upsert(app, NIGHT, pb.NewItem(item_id=OLD, title="Other"))
    assert answer.trained_item_ids == [OLD]
    assert (await item(app, OLD)).title == small.model.catalog.titles[1]


async def test_new_items_have_no_cluster_and_no_cluster_cap_limits_them(app: Live) -> None:
    new = [f"new {number}" for number in range(5)]
    await upsert(app, *(pb.NewItem(item_id=one, title=one, genres=["Horror"]) for one in new))
    shown = await everything(
        app,
        "1",
        filter=ratings_pb2.ItemFilter(candidate_item_ids=new),
        diversity=rpb.Diversity(max_per_cluster=1),
    )
    assert sorted(shown) == new


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_first_ratings_move_a_new_item_on_every_server(app: Live, other_app: Live) -> None:
    await upsert(app, NIGHT)
    await until(lambda: other_app.server.snapshots.serving().overlay_revision > 0)
    before = await predicted(other_app, "3", "night")
    for user in ("1", "2", "new"):
        await app.rate(user, "night", 5.0)

    async def moved() -> pb.Item:
        return await item(other_app, "night")

    shown = await settled(moved, lambda one: one.rating_count == 3)
    assert shown.source == ratings_pb2.SOURCE_COLLABORATIVE
    assert shown.mean_rating == 5.0
    liked = await predicted(other_app, "3", "night")
    assert liked > before
    await app.recommendations.DeleteRating(rpb.DeleteRatingRequest(user_id="new", item_id="night"))
    await app.rate("1", "night", 0.5)
    await settled(moved, lambda one: one.rating_count == 2 and one.mean_rating == 2.75)
    assert await predicted(other_app, "3", "night") < liked


async def test_a_rated_new_item_is_seen_also_by_a_server_that_knew_the_user_before(
    app: Live, other_app: Live
) -> None:
    await app.rate("1", OLD, 4.0)
    assert ids(await other_app.recommend("1"))
    await upsert(app, NIGHT)
    await app.rate("1", "night", 4.0)
    await settled(lambda: everything(other_app, "1"), lambda shown: len(shown) > 0)
    await until(lambda: other_app.server.snapshots.serving().overlay_revision > 0)
    for server in (app, other_app):
        assert "night" not in await everything(server, "1")
        state = await server.recommendations.GetUserState(rpb.GetUserStateRequest(user_id="1"))
        rated = {one.rating.item_id: one for one in state.ratings}
        assert rated["night"].in_model
        assert rated["night"].title == "Night of the Void"


async def test_ratings_given_before_an_item_was_known_count_when_it_comes(
    app: Live, stores: Stores, small: Planted
) -> None:
    others = replace(small, histories={UserId("9"): small.histories[UserId("9")]})
    await import_histories(others, stores.ratings, ["9"])
    unknown = rpb.DeleteRatingRequest(user_id="9", item_id="night")
    await app.recommendations.DeleteRating(unknown)
    await stores.ratings.import_ratings(UserId("9"), [_imported("night", 4.0)])
    await everything(app, "9")  # folded in and stored without it
    await upsert(app, NIGHT)
    assert "night" not in await everything(app, "9")


async def test_the_next_publish_absorbs_new_items_and_keeps_them_hidden(
    app: Live, stores: Stores
) -> None:
    await upsert(app, NIGHT, pb.NewItem(item_id="221", title="To be trained"))
    await show(app, "221", available=False)
    assert (await item(app, "221")).title == "To be trained"
    larger = planted(items=122)  # it has an item 221 and one more
    version = publish_version(larger, stores.models)
    await settled(
        lambda: app.recommend("1"), lambda answer: answer.serving_info.model_version == version
    )
    trained = await item(app, "221")
    assert trained.title == larger.model.catalog.titles[120]
    assert not trained.available
    assert (await item(app, "night")).title == "Night of the Void"
    shown = await everything(app, "1")
    assert "night" in shown
    assert "221" not in shown


async def test_ratings_of_a_new_item_count_under_the_next_model_too(
    app: Live, stores: Stores
) -> None:
    await upsert(app, NIGHT)
    for user in ("1", "2"):
        await app.rate(user, "night", 5.0)
    await settled(lambda: item(app, "night"), lambda one: one.rating_count == 2)
    version = publish_version(planted(seed=1), stores.models)

    def versions() -> set[str]:
        overlay = Overlay().updated(stores.models.overlay.changes(0))
        return {one.version for one in overlay.entries[ItemId("night")].ratings.values()}

    await until(lambda: versions() == {version})


async def test_a_starting_server_never_serves_without_the_overlay(
    app: Live, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upsert(app, NIGHT)
    await show(app, OLD, available=False)
    served: list[tuple[int, bool]] = []
    swap = Snapshots._swap

    def noting(self: Snapshots, snapshot: Snapshot) -> None:
        catalog = snapshot.model.catalog
        served.append((snapshot.overlay_revision, catalog.row("night") is not None))
        swap(self, snapshot)

    monkeypatch.setattr(Snapshots, "_swap", noting)
    async with live(stores) as later:
        assert "night" in await everything(later, "1")
    ((revision, knows),) = served
    assert revision > 0
    assert knows


async def test_every_server_ends_with_all_of_many_changes_at_once(
    app: Live, other_app: Live
) -> None:
    new = [pb.NewItem(item_id=f"n{k}", title=f"N {k}") for k in range(30)]
    servers = (app, other_app)
    await asyncio.gather(*(upsert(servers[k % 2], one) for k, one in enumerate(new)))
    for server in servers:
        await settled(
            lambda server=server: search(server, "n", page_size=200),  # type: ignore[misc]
            lambda found: {one.item_id for one in new} <= set(found),
        )
    assert ids(await app.recommend("1", 150)) == ids(await other_app.recommend("1", 150))


def _imported(item_id: str, value: float) -> ImportedRating:
    return ImportedRating(ItemId(item_id), value, time.time_ns() // 1_000)
