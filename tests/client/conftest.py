"""Fixtures of the client's tests: a scripted server, and commands that run against it."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from foldin_client.cli import main
from scripted import Run, Scripted, scripted_server


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def run(server: Scripted) -> Run:
    """Runs a command against the scripted server."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"FOLDIN_ADDRESS": server.address})

    return invoke
