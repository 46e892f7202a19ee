"""While new items cannot be stored, read or applied, the server serves on and loses nothing."""

import time
from typing import Any

import pytest
from foldin.v1 import catalog_pb2 as pb
from foldin_model.errors import StoreUnavailable
from foldin_model.records.item_overlay import Overlay, OverlayChanges
from foldin_model.store.keys import Keys
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.memory.overlays import MemoryOverlayStore
from foldin_model.store.protocols import RatingWrite, WriteOutcome
from foldin_server.process.stores import Stores
from planted import Planted
from redis import Redis
from server.faults import Gate
from server.live import (
    Live,
    failure,
    live,
    publish_version,
    settled,
    until,
)
from server.new_items import NIGHT, OLD, everything, item, show, upsert


class GoneOverlay(MemoryOverlayStore):
    """An overlay store that can be made unreachable."""

    gone = False

    def upsert(self, items: Any) -> int:
        self._pass()
        return super().upsert(items)

    def set_availability(self, item_ids: Any, *, available: bool) -> int:
        self._pass()
        return super().set_availability(item_ids, available=available)

    def changes(self, since: int) -> OverlayChanges:
        self._pass()
        return super().changes(since)

    def _pass(self) -> None:
        if self.gone:
            raise StoreUnavailable("the store is gone; start it again")


async def test_while_the_store_is_unreachable_nothing_changes_and_the_server_serves_on(
    small: Planted, stores: Stores, models: MemoryModelStore
) -> None:
    overlay = models.overlay = GoneOverlay()
    publish_version(small, models)
    async with live(stores) as app:
        await upsert(app, NIGHT)
        overlay.gone = True
        for call in (
            upsert(app, pb.NewItem(item_id="x", title="X")),
            show(app, OLD, available=False),
        ):
            failed = await failure(call)
            assert (failed.code, failed.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
            assert failed.retry_ms > 0
        assert "night" in await everything(app, "1")
        overlay.gone = False
        assert list(Overlay().updated(overlay.changes(0)).entries) == ["night"]
        await upsert(app, pb.NewItem(item_id="x", title="X"))
        assert "x" in await everything(app, "1")


@pytest.mark.parametrize("backend", ["redis"])
async def test_a_damaged_entry_is_left_out_counted_and_repaired_by_an_upsert(
    app: Live, valkey_url: str, namespace: str
) -> None:
    await upsert(app, NIGHT, pb.NewItem(item_id="x", title="X"))
    keys = Keys(namespace)
    with Redis.from_url(valkey_url) as client:
        client.hset(keys.overlay, "night", b"\x09damaged")
        client.zadd(keys.overlay_changed, {"night": time.time_ns() // 1_000})
        client.hset(keys.control, "overlay", time.time_ns() // 1_000)
    damaged = "foldin_overlay_damaged_entries"
    value = app.server.metrics.registry.get_sample_value
    await until(lambda: value(damaged) == 1.0)
    shown = await everything(app, "1")
    assert "night" not in shown
    assert "x" in shown
    await upsert(app, NIGHT)
    assert value(damaged) == 0.0
    assert "night" in await everything(app, "1")


async def test_an_overlay_that_cannot_be_applied_leaves_the_served_one(
    app: Live, models: MemoryModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upsert(app, NIGHT)

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(app.server.snapshots._overlay_follower, "apply", fail)
    await upsert(app, pb.NewItem(item_id="x", title="X"))
    shown = await everything(app, "1")
    assert "night" in shown
    assert "x" not in shown
    value = app.server.metrics.registry.get_sample_value
    assert value("foldin_overlay_failures_total") == 1.0
    monkeypatch.undo()
    await upsert(app, pb.NewItem(item_id="y", title="Y"))
    assert {"x", "y"} <= set(await everything(app, "1"))


async def test_a_stored_rating_counts_for_its_new_item_as_soon_as_the_store_is_back(
    app: Live, ratings: Gate
) -> None:
    await upsert(app, NIGHT)
    store = ratings.store

    async def write_and_go(write: RatingWrite) -> WriteOutcome:
        outcome = await store.write(write)
        ratings.gone = True
        return outcome

    ratings.write = write_and_go  # type: ignore[method-assign]
    await app.rate("1", "night", 5.0)
    await until(lambda: not app.server.store.reachable)
    assert (await item(app, "night")).rating_count == 0
    ratings.gone = False
    await settled(lambda: item(app, "night"), lambda one: one.rating_count == 1)


async def test_a_rating_counts_for_its_new_item_though_the_store_was_gone_for_a_moment(
    app: Live, ratings: Gate
) -> None:
    await upsert(app, NIGHT)
    ratings.gone = True
    assert (await failure(app.rate("1", "night", 5.0))).reason == "STORE_UNAVAILABLE"
    ratings.gone = False
    await settled(lambda: _rated(app), lambda outcome: outcome)
    await settled(lambda: item(app, "night"), lambda one: one.rating_count == 1)


async def _rated(app: Live) -> bool:
    try:
        await app.rate("1", "night", 5.0)
    except Exception:  # noqa: BLE001  # the server has not found the store again yet
        return False
    return True
