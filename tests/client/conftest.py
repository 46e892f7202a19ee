"""The scripted server of the client's tests."""

from collections.abc import Iterator

import pytest
from scripted import Scripted, scripted_server


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as scripted:
        yield scripted
