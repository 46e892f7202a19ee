"""Fixtures of the model's tests: stores of models of both kinds, and a real store to break."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.protocols import ModelStore
from foldin_model.store.redis.models import RedisModelStore
from machines import Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A real store of the test's own."""
    with TemporaryDirectory(prefix="foldin-") as folder:
        made = Machine(Path(folder))
        yield made
        made.close()


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, valkey_url: str, namespace: str) -> Iterator[ModelStore]:
    """A store of models, in memory and on a real server."""
    made: ModelStore
    made = (
        MemoryModelStore() if request.param == "memory" else RedisModelStore(valkey_url, namespace)
    )
    yield made
    made.close()
