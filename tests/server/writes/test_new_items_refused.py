"""Refused additions and changes of availability: the error names why, and nothing is changed."""

import math
from dataclasses import replace

import numpy as np
from foldin.v1 import catalog_pb2 as pb
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.memory.overlays import MemoryOverlayStore
from foldin_model.store.overlay_protocol import OverlayLimits
from foldin_model.trained.content_map import ContentMap
from foldin_server.process.stores import Stores
from planted import Planted
from server.live import (
    Live,
    failure,
    live,
    publish_version,
)
from server.new_items import NIGHT, OLD, everything, item, show, upsert

BAD = (
    (pb.NewItem(title="T"), "item_id"),
    (pb.NewItem(item_id="x" * 257, title="T"), "item_id"),
    (pb.NewItem(item_id="a\nb", title="T"), "item_id"),
    (pb.NewItem(item_id="x"), "title"),
    (pb.NewItem(item_id="x", title="T" * 1_001), "title"),
    (pb.NewItem(item_id="x", title="a\x1b[2J"), "title"),
    (pb.NewItem(item_id="x", title="T", genres=["g"] * 51), "genres"),
    (pb.NewItem(item_id="x", title="T", genres=["Drama", ""]), "genres[1]"),
    (pb.NewItem(item_id="x", title="T", tags=["t"] * 101), "tags"),
    (pb.NewItem(item_id="x", title="T", tags=["t" * 101]), "tags[0]"),
    (pb.NewItem(item_id="x", title="T", year=0), "year"),
    (pb.NewItem(item_id="x", title="T", year=10_000), "year"),
    (pb.NewItem(item_id="x", title="T", embedding=[1.0, 2.0]), "embedding"),
    (NIGHT, "item_id"),  # it comes twice
)


async def test_a_field_outside_its_limits_is_named_and_nothing_is_added(app: Live) -> None:
    for bad, field in BAD:
        failed = await failure(upsert(app, NIGHT, bad))
        assert (failed.code, failed.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
        assert failed.fields == [f"items[1].{field}"], bad
    for request, field in (
        (pb.UpsertItemsRequest(), "items"),
        (pb.UpsertItemsRequest(items=[NIGHT] * 1_001), "items"),
    ):
        assert (await failure(app.catalog.UpsertItems(request))).fields == [field]
    for asked, field in (
        (pb.SetItemAvailabilityRequest(available=True), "item_ids"),
        (pb.SetItemAvailabilityRequest(item_ids=[OLD]), "available"),
        (pb.SetItemAvailabilityRequest(item_ids=[""], available=True), "item_ids[0]"),
    ):
        assert (await failure(app.catalog.SetItemAvailability(asked))).fields == [field]
    assert app.server.snapshots.serving().overlay_revision == 0
    assert (await failure(item(app, "night"))).reason == "ITEM_NOT_FOUND"


async def test_an_embedding_is_of_the_length_that_the_model_was_trained_with(
    small: Planted, stores: Stores
) -> None:
    width = sum(small.model.item_widths)
    content = ContentMap((), np.zeros((0, width), np.float32), np.ones((3, width), np.float32),
                         np.zeros(width, np.float32))  # fmt: skip
    made = replace(small, model=replace(small.model, content=content))
    publish_version(made, stores.models)
    async with live(stores) as app:
        await upsert(app, pb.NewItem(item_id="x", title="T", embedding=[1.0, 2.0, 3.0]))
        row = app.server.snapshots.serving().model.items[len(small.model.items)]
        assert np.allclose(row, 6.0)
        for bad in ([1.0, 2.0], [1.0, 2.0, math.nan], [1.0, 2.0, math.inf]):
            failed = await failure(upsert(app, pb.NewItem(item_id="y", title="T", embedding=bad)))
            assert failed.fields == ["items[0].embedding"]


async def test_unknown_items_are_named_and_nothing_is_hidden(app: Live) -> None:
    failed = await failure(show(app, OLD, "nowhere", available=False))
    assert (failed.code, failed.reason) == ("NOT_FOUND", "ITEM_NOT_FOUND")
    assert failed.resource == ("foldin.v1.Item", "nowhere")
    assert (await item(app, OLD)).available


async def test_the_overlay_can_be_full_and_absorbed_items_make_room(
    small: Planted, stores: Stores, models: MemoryModelStore
) -> None:
    models.overlay = MemoryOverlayStore(OverlayLimits(max_new_items=2))
    publish_version(small, models)
    async with live(stores) as app:
        await upsert(app, NIGHT, pb.NewItem(item_id=OLD, title="Other"))
        await upsert(
            app, pb.NewItem(item_id="a", title="A")
        )  # the model has the other item, whose entry makes room
        failed = await failure(upsert(app, pb.NewItem(item_id="b", title="B")))
        assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "OVERLAY_FULL")
        assert {"night", "a"} <= set(await everything(app, "1"))


async def test_without_a_model_nothing_can_be_added(stores: Stores) -> None:
    async with live(stores) as app:
        assert (await failure(upsert(app, NIGHT))).reason == "MODEL_NOT_READY"
        assert (await failure(show(app, OLD, available=False))).reason == "MODEL_NOT_READY"
