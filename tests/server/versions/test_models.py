"""Which model serves: none at first, a new one without a failed call, never a damaged one."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from foldin.v1 import model_pb2 as pb
from foldin_model.errors import StoreMismatch
from foldin_model.ids import Version
from foldin_model.lifecycle import installation
from foldin_model.lifecycle.publisher import activate
from foldin_model.store.keys import Keys
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.trained.snapshot import Snapshot
from foldin_server.process.assembly import SERVICES
from foldin_server.process.server import CURRENT_MODEL
from foldin_server.process.stores import Stores
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from planted import Planted, planted
from redis import Redis
from server.live import Live, failure, ids, ids_of, live, publish_version, settled, until


async def becomes(app: Live, version: str) -> None:
    await settled(lambda: app.recommend("1"), lambda a: a.serving_info.model_version == version)


async def serving(app: Live) -> Any:
    return await app.models.GetServingModel(pb.GetServingModelRequest())


async def test_a_server_becomes_ready_with_the_first_model(small: Planted, stores: Stores) -> None:
    async with live(stores) as app:
        assert await app.health() == "NOT_SERVING"
        assert (await failure(app.recommend("1"))).reason == "MODEL_NOT_READY"
        publish_version(small, stores.models)
        await settled(app.health, lambda status: status == "SERVING")
        assert (await app.recommend("1")).items


@pytest.mark.parametrize("backend", ["redis"])
async def test_a_store_with_another_layout_is_refused(
    stores: Stores, valkey_url: str, namespace: str
) -> None:
    with Redis.from_url(valkey_url) as client:
        client.hset(Keys(namespace).control, "partitions", "32")
    with pytest.raises(StoreMismatch, match="32 partitions"):
        async with live(stores):
            pass


async def test_health_answers_for_every_service(app: Live) -> None:
    for service in ("", *SERVICES, CURRENT_MODEL):
        assert await app.health(service) == "SERVING"
    assert SERVICES[0] == "foldin.v1.RecommendationService"


async def test_reflection_names_the_services(app: Live) -> None:
    make_stub: Any = reflection_pb2_grpc.ServerReflectionStub
    stub = make_stub(app.channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([asked])):
        named = {service.name for service in answer.list_services_response.service}
        assert {*SERVICES, "grpc.health.v1.Health"} <= named


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_a_new_model_takes_over_without_a_failed_call(app: Live, stores: Stores) -> None:
    versions: list[str] = []
    done = asyncio.Event()

    async def load(user: str) -> None:
        while not done.is_set():
            versions.append((await app.recommend(user)).serving_info.model_version)

    callers = [asyncio.create_task(load(user)) for user in ("1", "2", "new", "stranger")]
    published = [app.server.snapshots.serving().version]
    for seed in (1, 2, 3):
        await until(lambda: published[-1] in versions)
        version = publish_version(planted(seed=seed), stores.models)
        published.append(version)
        await becomes(app, version)
    await until(lambda: published[-1] in versions)
    done.set()
    await asyncio.gather(*callers)
    assert list(dict.fromkeys(versions)) == published


async def test_a_list_continues_with_the_model_that_it_began_with(
    app: Live, stores: Stores
) -> None:
    whole = ids_of(await app.pages("1", 200))
    first = await app.recommend("1", 20)
    await becomes(app, publish_version(planted(seed=1), stores.models))
    second = await app.recommend("1", 200, page_token=first.next_page_token)
    assert second.serving_info.model_version == first.serving_info.model_version
    assert ids(first) + ids(second) == whole


async def test_a_rollback_serves_the_replaced_model_again(app: Live, stores: Stores) -> None:
    old = app.server.snapshots.serving()
    await becomes(app, publish_version(planted(seed=1), stores.models))
    activate(stores.models, old.version)
    await becomes(app, old.version)
    assert app.server.snapshots.serving() is old


async def test_a_damaged_version_is_refused_and_the_old_one_serves_on(
    other: Planted, app: Live, models: MemoryModelStore
) -> None:
    old = await serving(app)
    damaged = publish_version(other, models, serve=False)
    whole = models.chunk(damaged, "items:0")
    models.put_chunk(damaged, "items:0", bytes(len(whole)))
    activate(models, damaged)
    seen = await settled(lambda: serving(app), lambda answer: bool(answer.load_error))
    assert seen.model.version == old.model.version
    assert damaged in seen.load_error
    assert (await app.recommend("1")).serving_info.model_version == old.model.version
    assert await app.health() == "SERVING"
    assert await app.health(CURRENT_MODEL) == "NOT_SERVING"
    assert app.server.metrics.registry.get_sample_value("foldin_model_load_failures_total") == 1
    models.put_chunk(damaged, "items:0", whole)
    await app.models.ActivateModel(pb.ActivateModelRequest(version=damaged))
    mended = await serving(app)
    assert (mended.model.version, mended.load_error) == (damaged, "")
    assert await app.health(CURRENT_MODEL) == "SERVING"


async def damage(app: Live, version: Version) -> Path:
    """Changes one bit of an installed version and makes the server check it once more."""
    installed = app.server.snapshots._installed
    await until(lambda: installed.is_verified(version))  # else that check may end after the damage
    file = installed._directory / version / "model.bin"
    with file.open("r+b") as opened:  # rewriting the mapped file would truncate it for a moment
        opened.seek(file.stat().st_size // 2)
        (old,) = opened.read(1)
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([old ^ 1]))
    installed._verified.clear()
    return file.parent


async def test_a_model_found_damaged_while_it_serves_is_fetched_again(app: Live) -> None:
    snapshots = app.server.snapshots
    old = snapshots.serving()
    path = await damage(app, old.version)

    async def current() -> Snapshot:
        return snapshots.serving()

    mended = await settled(current, lambda snapshot: snapshot is not old)
    assert mended.version == old.version
    installation.verify(path)
    assert (await app.recommend("1")).serving_info.model_version == old.version


async def test_files_that_another_process_replaced_are_mapped_anew(app: Live) -> None:
    snapshots = app.server.snapshots
    old = snapshots.serving()
    installed = snapshots._installed
    await until(lambda: installed.is_verified(old.version))
    file = installed._directory / old.version / "model.bin"
    shutil.copy(file, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)
    installed._verified.clear()

    async def current() -> Snapshot:
        return snapshots.serving()

    assert await settled(current, lambda snapshot: snapshot is not old)


async def test_a_damaged_model_that_cannot_be_fetched_again_serves_no_more(
    app: Live, models: MemoryModelStore
) -> None:
    version = app.server.snapshots.serving().version
    whole = models.chunk(version, "items:0")
    models.put_chunk(version, "items:0", bytes(len(whole)))
    await damage(app, version)
    await settled(app.health, lambda health: health == "NOT_SERVING")
    assert (await failure(app.recommend("1"))).reason == "MODEL_NOT_READY"
    metrics = app.server.metrics.registry
    assert metrics.get_sample_value("foldin_model_load_failures_total") == 1
    assert metrics.get_sample_value("foldin_model_current_ratio") == 0
    models.put_chunk(version, "items:0", whole)
    await app.models.ActivateModel(pb.ActivateModelRequest(version=version))
    assert await app.health() == "SERVING"
    assert (await app.recommend("1")).serving_info.model_version == version


async def test_the_previous_model_serves_again_if_its_successor_stays_damaged(
    other: Planted, app: Live, models: MemoryModelStore
) -> None:
    old = app.server.snapshots.serving().version
    new = publish_version(other, models)
    await becomes(app, new)
    models.put_chunk(new, "items:0", bytes(len(models.chunk(new, "items:0"))))
    await damage(app, new)
    seen = await settled(lambda: serving(app), lambda answer: bool(answer.load_error))
    assert seen.model.version == old
    assert await app.health(CURRENT_MODEL) == "NOT_SERVING"


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_activation_serves_before_it_answers(
    other: Planted, app: Live, stores: Stores
) -> None:
    old = (await serving(app)).model.version
    new = publish_version(other, stores.models, serve=False)
    listed = await app.models.ListModels(pb.ListModelsRequest())
    answer = await app.models.ActivateModel(
        pb.ActivateModelRequest(version=new, epoch=listed.epoch)
    )
    now = await serving(app)
    assert answer.epoch == now.epoch == listed.epoch + 1
    assert (answer.current_version, answer.previous_version) == (new, old)
    assert now.model.version == new
    assert now.model.state == pb.Model.STATE_CURRENT
    listed = await app.models.ListModels(pb.ListModelsRequest())
    assert [model.version for model in listed.models] == [new, old]
    assert [model.state for model in listed.models] == [
        pb.Model.STATE_CURRENT,
        pb.Model.STATE_PREVIOUS,
    ]
    assert listed.models[0].metrics["rmse"] == 0.5
    assert (listed.models[0].min_rating, listed.models[0].max_rating) == (0.5, 5.0)


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_a_damaged_manifest_is_logged_by_name_and_hides_no_other_model(
    other: Planted, app: Live, stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (await serving(app)).model.version
    damaged = publish_version(other, stores.models, serve=False)
    stores.models.put_manifest(damaged, b"{", dict(stores.models.versions())[damaged])
    answer = await app.models.ListModels(pb.ListModelsRequest())
    assert [model.version for model in answer.models] == [whole]
    [line] = [record for record in caplog.records if record.message == "version_damaged"]
    assert vars(line)["model_version"] == damaged
    assert "the manifest is not JSON" in vars(line)["error"]


async def test_a_stopping_server_reports_it_to_those_who_watch_its_health(
    small: Planted, stores: Stores
) -> None:
    publish_version(small, stores.models)
    async with live(stores, stop_delay_s=0.2) as app:
        stub: Any = health_pb2_grpc.HealthStub(app.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        stopping = asyncio.create_task(app.server.stop())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert (await app.recommend("1")).items
        watch.cancel()
        await stopping
