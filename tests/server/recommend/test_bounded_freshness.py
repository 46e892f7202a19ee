"""Bounded freshness: users are answered without asking the store until it reports a change.

These tests need real stores, since the store makes the reports.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from foldin.v1 import ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.protocols import ImportedRating
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.operations import RedisOperations
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.redis.revision_tracker import RevisionTracker
from foldin_server.process.stores import Stores
from foldin_server.settings import Transport
from planted import Planted
from redis import Redis
from server.faults import Gate
from server.live import Live, failure, ids, import_histories, live, publish_version, settled, until

ANN = UserId("ann")
VERSION = Version("v1")


@dataclass(frozen=True)
class Place:
    """A store, and the directory where servers on it install models."""

    url: str
    namespace: str
    models: Path

    def stores(self, **beats: float) -> Stores:
        return Stores(
            Gate(RedisRatingStore(self.url, self.namespace, timeout_s=5.0)),
            RedisModelStore(self.url, self.namespace),
            self.models,
            RevisionTracker(self.url, self.namespace, timeout_s=5.0, **beats),
        )


@pytest.fixture
async def place(
    small: Planted, transport: Transport, valkey_url: str, namespace: str, tmp_path: Path
) -> Place:
    made = Place(valkey_url, namespace, tmp_path / "models")
    await fill(made, small)
    return made


async def fill(place: Place, small: Planted) -> None:
    stores = place.stores()
    publish_version(small, stores.models)
    await import_histories(small, stores.ratings, ["1", "2", "3"])
    await stores.ratings.close()
    stores.models.close()


@asynccontextmanager
async def bounded(stores: Stores) -> AsyncIterator[Live]:
    """A server with bounded freshness that has begun to track users."""
    async with live(stores, freshness="bounded") as app:
        await until(lambda: tracks(app))
        yield app
    stores.models.close()


def tracks(app: Live) -> bool:
    return app.server.metrics.registry.get_sample_value("foldin_tracking_ratio") == 1


def asked(stores: Stores) -> int:
    assert isinstance(stores.ratings, Gate)
    return stores.ratings.asked


async def test_an_unchanged_user_is_answered_without_the_store(place: Place) -> None:
    stores = place.stores()
    async with bounded(stores) as app:
        first = await app.recommend("1")
        before = asked(stores)
        assert await app.recommend("1") == first
        other = await app.recommend("1", 5)
        assert ids(other) == ids(first)[:5]
        assert asked(stores) == before
        assert first.serving_info.freshness == ratings_pb2.FRESHNESS_BOUNDED


async def test_answers_of_a_strict_server_say_strict(place: Place) -> None:
    stores = replace(place.stores(), revisions=None)
    async with live(stores) as app:
        await app.recommend("1")
        before = asked(stores)
        answer = await app.recommend("1")
        assert asked(stores) == before + 1
        assert answer.serving_info.freshness == ratings_pb2.FRESHNESS_STRICT
    stores.models.close()


async def test_own_writes_are_seen_at_once(place: Place) -> None:
    async with bounded(place.stores()) as app:
        for _ in range(20):
            shown = await app.recommend("1")
            rated = await app.rate("1", shown.items[0].item_id, 3.0)
            answer = await app.recommend("1")
            assert answer.serving_info.user_revision == rated.user_revision
            assert shown.items[0].item_id not in ids(answer)


async def test_writes_of_others_are_seen_by_every_server(place: Place) -> None:
    async with AsyncExitStack() as stack:
        here, *others = [await stack.enter_async_context(bounded(place.stores())) for _ in range(4)]
        for other in others:
            await other.recommend("1")
        item = (await here.recommend("1")).items[0].item_id
        rated = await here.rate("1", item, 3.0)
        for other in others:
            answer = await settled(
                lambda: other.recommend("1"),  # noqa: B023 (it is called within this iteration)
                lambda answer: answer.serving_info.user_revision == rated.user_revision,
            )
            assert item not in ids(answer)
        deleted = await here.recommendations.DeleteRating(
            pb.DeleteRatingRequest(user_id="1", item_id=item)
        )
        for other in others:
            await settled(
                lambda: other.recommend("1"),  # noqa: B023 (it is called within this iteration)
                lambda answer: answer.serving_info.user_revision == deleted.user_revision,
            )


async def test_imports_purges_and_an_emptied_store_are_seen(place: Place) -> None:
    stores = place.stores()
    importer = RedisRatingStore(place.url, place.namespace)
    async with bounded(stores) as app:
        first = await app.recommend("1")
        item = ItemId(first.items[0].item_id)
        await importer.import_ratings(UserId("1"), [ImportedRating(item, 3.0, 1)])
        later = await settled(lambda: app.recommend("1"), lambda answer: item not in ids(answer))
        assert later.serving_info.user_revision > first.serving_info.user_revision
        operator = RedisOperations(place.url, place.namespace)
        operator.purge(UserId("1"), [])
        operator.close()
        await settled(
            lambda: app.recommend("1"), lambda answer: answer.serving_info.user_revision == 0
        )
    await importer.close()


async def test_a_requested_revision_is_waited_for_here_too(place: Place) -> None:
    async with bounded(place.stores()) as app:
        revision = (await app.recommend("1")).serving_info.user_revision
        assert (await app.recommend("1", min_user_revision=revision)).items
        error = await failure(app.recommend("1", min_user_revision=revision + 1_000))
        assert error.code == "ABORTED"


async def test_without_its_connection_a_server_is_strict_until_it_tracks_again(
    place: Place,
) -> None:
    stores = place.stores()
    async with bounded(stores) as app:
        await app.recommend("1")
        with Redis.from_url(place.url, protocol=2) as client:
            for tracker in client.client_list():
                if "t" in tracker["flags"]:
                    client.client_kill_filter(_id=tracker["id"])
        await until(lambda: not tracks(app))
        before = asked(stores)
        await app.recommend("1")
        assert asked(stores) > before
        await until(lambda: tracks(app))
        await app.recommend("1")
        before = asked(stores)
        await app.recommend("1")
        assert asked(stores) == before


class OwnStore:
    """A store of one test, which can be stopped, killed and started again."""

    def __init__(self, data_dir: Path, users: ExitStack) -> None:
        self._data_dir = data_dir
        self._users = users
        self.url = self.start()

    def start(self) -> str:
        return self._users.enter_context(embedded_store(self._data_dir))

    def send(self, number: signal.Signals) -> None:
        os.kill(int((self._data_dir / "store" / "valkey.pid").read_text()), number)


@pytest.fixture
def own_store() -> Iterator[OwnStore]:
    with TemporaryDirectory(prefix="foldin-") as folder, ExitStack() as users:
        yield OwnStore(Path(folder), users)


async def test_a_store_that_hangs_is_trusted_no_longer_than_the_bound(
    small: Planted, transport: Transport, own_store: OwnStore, tmp_path: Path
) -> None:
    place = Place(own_store.url, "ns", tmp_path)
    await fill(place, small)
    stores = place.stores(beat_s=0.05, bound_s=0.2)
    async with bounded(stores) as app:
        await app.recommend("1")
        held, version = app.server.tracked, app.server.snapshots.serving().version
        assert held.get(UserId("1"), version)
        own_store.send(signal.SIGSTOP)
        try:
            await until(lambda: held.get(UserId("1"), version) is None)
        finally:
            own_store.send(signal.SIGCONT)
        await until(lambda: tracks(app))
        assert not (await app.recommend("1")).serving_info.degraded


async def test_a_store_that_was_killed_is_tracked_again(
    small: Planted, transport: Transport, own_store: OwnStore, tmp_path: Path
) -> None:
    place = Place(own_store.url, "ns", tmp_path)
    await fill(place, small)
    stores = place.stores()
    async with bounded(stores) as app:
        first = await app.recommend("1")
        own_store.send(signal.SIGKILL)
        await until(lambda: not tracks(app))
        gone = await app.recommend("1")
        assert gone.serving_info.degraded
        assert ids(gone) == ids(first)
        own_store.start()
        await until(lambda: tracks(app) and app.server.store.reachable)
        rated = await app.rate("1", first.items[0].item_id, 3.0)
        assert (await app.recommend("1")).serving_info.user_revision == rated.user_revision
