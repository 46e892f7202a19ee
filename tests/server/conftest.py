"""Fixtures: servers on stores in memory and on real ones, with a published model."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.memory.ratings import MemoryRatingStore
from foldin_model.store.protocols import ModelStore, RatingStore
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_server.process.stores import Stores
from foldin_server.settings import Transport
from planted import Planted, planted
from server.faults import Gate
from server.live import Live, import_histories, live, publish_version

from server import live as live_module

USERS = ("1", "2", "3")


@pytest.fixture(scope="session")
def other() -> Planted:
    """Another planted model, from another seed."""
    return planted(seed=1)


@pytest.fixture
def backend() -> str:
    """The kind of store: memory, or redis in tests that are parametrized with it."""
    return "memory"


@pytest.fixture
def models(backend: str, request: pytest.FixtureRequest) -> ModelStore:
    if backend == "memory":
        return MemoryModelStore()
    url, namespace = request.getfixturevalue("valkey_url"), request.getfixturevalue("namespace")
    return RedisModelStore(url, namespace)


@pytest.fixture
def ratings(backend: str, models: ModelStore, request: pytest.FixtureRequest) -> Gate:
    made: RatingStore
    if isinstance(models, MemoryModelStore):
        made = MemoryRatingStore(models)
    else:
        url, namespace = request.getfixturevalue("valkey_url"), request.getfixturevalue("namespace")
        made = RedisRatingStore(url, namespace, timeout_s=5.0)
    return Gate(made)


WAYS = [("grpcio", "on"), ("native", "on"), ("grpcio", "off"), ("native", "off")]


@pytest.fixture(
    params=WAYS, ids=[*("grpcio", "native"), *("grpcio, general way", "native, general way")]
)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Transport:
    """Runs every test with a server on each transport, with and without the fast path."""
    chosen: Transport = request.param[0]
    monkeypatch.setattr(live_module, "transport", chosen)
    monkeypatch.setattr(live_module, "fast_path", request.param[1])
    return chosen


@pytest.fixture
def stores(transport: Transport, models: ModelStore, ratings: Gate, tmp_path: Path) -> Stores:
    return Stores(ratings, models, tmp_path / "models")


@pytest.fixture
async def app(small: Planted, stores: Stores) -> AsyncIterator[Live]:
    """A server with the planted model; users "1", "2" and "3" have their training ratings."""
    publish_version(small, stores.models)
    await import_histories(small, stores.ratings, USERS)
    async with live(stores) as running:
        yield running
    stores.models.close()


@pytest.fixture
async def other_app(app: Live, stores: Stores) -> AsyncIterator[Live]:
    """Another server on the same stores."""
    async with live(stores) as running:
        yield running
