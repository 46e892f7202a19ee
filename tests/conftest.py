"""Fixtures of all tests: the planted model, a small data set, a real store and a namespace."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from foldin_model.store.embedded_server import embedded_store
from foldin_trainer.data import Dataset
from hypothesis import settings
from planted import Planted, planted
from tiny import tiny_dataset

# How long an example takes says more about the machine than about the code.
settings.register_profile("foldin", deadline=None)
settings.load_profile("foldin")


@pytest.fixture(scope="session")
def small() -> Planted:
    """A planted model of 40 users and 120 items."""
    return planted()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of a real store that runs for the whole test session."""
    with (
        TemporaryDirectory(prefix="foldin-") as folder,
        embedded_store(Path(folder), appendfsync="no") as url,
    ):
        yield url


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """A data set of 300 users and 200 films with planted tastes."""
    return tiny_dataset()
