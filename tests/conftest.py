"""Fixtures of every room: the planted model."""

import pytest
from planted import Planted, planted


@pytest.fixture(scope="session")
def small() -> Planted:
    """A planted model of 40 users and 120 items."""
    return planted()
