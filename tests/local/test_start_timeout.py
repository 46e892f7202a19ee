"""How long `foldin up` and `foldin demo` wait for their server, and their message after that."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click
import pytest
from foldin_client import Client
from foldin_client.errors import DeadlineExceeded, FoldinError, StoreUnavailable, Unreachable
from foldin_local.child_process import running_child
from foldin_local.interrupts import Interrupts
from foldin_local.stack import START_TIMEOUT_S, LocalStack, free_address
from redis import Redis
from rich.console import Console

pytestmark = pytest.mark.slow
Errors = tuple[type[FoldinError], ...]


@contextmanager
def waiting(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, *, redis_url: str = "", start_timeout_s: float
) -> Iterator[tuple[Callable[[], object], Client]]:
    """Gives the wait of `foldin up` for a server process, and a client of that process."""
    for name in [name for name in os.environ if name.startswith("FOLDIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FOLDIN_DATA_DIR", str(data_dir))
    if redis_url:
        monkeypatch.setenv("FOLDIN_REDIS_URL", redis_url)
    address = free_address("127.0.0.1:0")
    stack = LocalStack(address, Console(), Interrupts(), start_timeout_s)
    with (
        running_child("serve", ("serve", "--address", address), data_dir) as server,
        Client(address) as client,
    ):
        yield lambda: stack._first_answer(server, client.list_models, lambda _: None), client


def until(expected: Errors, client: Client) -> None:
    """Waits until the server is up and fails as expected."""
    while True:
        try:
            client.list_models()
        except Unreachable:
            continue  # the client itself waits between its tries
        except expected:
            return


def test_the_start_timeout_is_a_minute() -> None:
    assert LocalStack("", Console(), Interrupts()).start_timeout_s == START_TIMEOUT_S == 60


def test_a_store_that_is_not_there_ends_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "redis://127.0.0.1:1/0"
    with waiting(tmp_path, monkeypatch, redis_url=url, start_timeout_s=0.5) as (wait, client):
        until((StoreUnavailable,), client)
        with pytest.raises(click.ClickException) as raised:
            wait()
    assert f"not ready after 0.5 s: the store at {url} cannot be used" in raised.value.message
    assert "Correct FOLDIN_REDIS_URL" in raised.value.message


def test_a_wrong_password_ends_the_wait_and_is_not_repeated(
    valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis.from_url(valkey_url) as store:
        store.acl_setuser("locked", enabled=True, passwords=["+right"], commands=["+@all"])
    path = quote(valkey_url.removeprefix("unix://"), safe="/%")
    url = f"unix://locked:wrong@{path}"
    with waiting(tmp_path, monkeypatch, redis_url=url, start_timeout_s=0.5) as (wait, client):
        until((StoreUnavailable,), client)
        with pytest.raises(click.ClickException) as raised:
            wait()
    assert "invalid username-password pair" in raised.value.message
    assert "Correct FOLDIN_REDIS_URL" in raised.value.message
    assert "wrong@" not in raised.value.message


def test_a_store_that_hangs_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with waiting(tmp_path, monkeypatch, redis_url=url, start_timeout_s=0.5) as (wait, client):
            until((DeadlineExceeded, StoreUnavailable), client)
            with pytest.raises(click.ClickException, match=r"(?s)0\.5 s.*Correct FOLDIN_REDIS_URL"):
                wait()


def test_a_server_that_does_not_answer_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        waiting(tmp_path, monkeypatch, start_timeout_s=0.0) as (wait, _),
        pytest.raises(click.ClickException, match="Last line of `foldin serve`"),
    ):
        wait()
