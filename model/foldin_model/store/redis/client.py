"""What all clients of Redis share: a blocking client, errors, and the creation of a namespace."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from hiredis import ReplyError
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.connection import (
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.retry import Retry

from foldin_model.errors import StoreMismatch, StoreRefused, StoreUnavailable
from foldin_model.store.keys import PAGE_KEY_BYTES, PARTITIONS, Keys
from foldin_model.store.scripts import CREATE_NAMESPACE
from foldin_model.store.url import StoreUrl

_CONNECTIONS: Final = {
    "redis": Connection,
    "rediss": SSLConnection,
    "unix": UnixDomainSocketConnection,
}
Command = tuple[str | bytes | int | float, ...]


class Transaction(NamedTuple):
    """Commands that the store runs with no other in between; its reply is the list of replies."""

    commands: tuple[Command, ...]


def connect(url: StoreUrl, timeout_s: float) -> Redis:
    """Returns a blocking client, which connects when it is first used and never retries.

    Connecting and each reply may take `timeout_s`, unless the URL has timeouts of its own.
    """
    if url.kind == "unix":
        place: dict[str, object] = {"path": url.socket}
    else:
        place = {"host": url.host, "port": url.port, **url.tls}
    pool = ConnectionPool(
        connection_class=_CONNECTIONS[url.kind],
        db=url.database,
        username=url.user,
        password=url.password,
        client_name=url.client_name,
        socket_timeout=url.timeout_s or timeout_s,
        socket_connect_timeout=url.connect_timeout_s or timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **place,  # type: ignore[arg-type]
    )
    return Redis.from_pool(pool)


@contextmanager
def failures_as_unavailable(url: StoreUrl) -> Iterator[None]:
    """Raises StoreUnavailable for any failure of the client or the connection."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise unavailable(url, error) from error


def unavailable(url: StoreUrl, error: BaseException) -> StoreUnavailable:
    """Returns the error that names the store, without secrets, and the reason."""
    said = str(error) or type(error).__name__
    return StoreUnavailable(f"the store at {url.shown} cannot be used: {said}")


def refused(error: ReplyError) -> StoreRefused:
    """Returns the error for one command that the store answered with an error."""
    said = str(error).partition(" script: ")[0]  # callers have no use for the place in the script
    return StoreRefused(f"the store refused the command: {said}")


def namespace_command(keys: Keys) -> Command:
    """Returns the command that creates the namespace unless it exists."""
    page_key = os.urandom(PAGE_KEY_BYTES)
    return ("EVAL", CREATE_NAMESPACE.text, 1, keys.control, PARTITIONS, page_key)


def page_key_in(keys: Keys, reply: object) -> bytes:
    """Returns the namespace's page key from the reply to `namespace_command`.

    Raises StoreMismatch if the namespace was created with another number of partitions.
    """
    match reply:
        case [bytes(partitions), bytes(page_key)]:
            pass
        case _:
            raise TypeError(f"the script create_namespace answered {reply!r}")
    if partitions != str(PARTITIONS).encode():
        raise StoreMismatch(
            f"namespace {keys.namespace!r} was created with {partitions.decode()} partitions; this "
            f"program uses {PARTITIONS}: choose another namespace, or the program that created it"
        )
    return page_key
