"""What all clients of Redis share: how one is made of a URL, its failures, a claimed namespace."""

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
from foldin_model.store.scripts import CLAIM
from foldin_model.store.url import StoreUrl

_CONNECTIONS: Final = {
    "redis": Connection,
    "rediss": SSLConnection,
    "unix": UnixDomainSocketConnection,
}
Command = tuple[str | bytes | int | float, ...]


class Transaction(NamedTuple):
    """Commands that the store runs with no other in between; the reply is the list of theirs."""

    commands: tuple[Command, ...]


def connect(url: StoreUrl, timeout_s: float) -> Redis:
    """Returns a blocking client, which connects when it is first used and retries nothing.

    A reply, and a connection too, may take `timeout_s` unless the URL says otherwise.
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
    """Returns the error that names the store, without a secret, and the reason."""
    said = str(error) or type(error).__name__
    return StoreUnavailable(f"the store at {url.shown} cannot be used: {said}")


def refused(error: ReplyError) -> StoreRefused:
    """The error for a single command that the store answered with an error."""
    said = str(error).partition(" script: ")[0]  # where in a script is of no use to a caller
    return StoreRefused(f"the store refused it: {said}")


def claim(keys: Keys) -> Command:
    """The command that creates the namespace where it is new, and is answered how it was made."""
    page_key = os.urandom(PAGE_KEY_BYTES)
    return ("EVAL", CLAIM.text, 1, keys.control, PARTITIONS, page_key)


def check_claim(keys: Keys, settings: object) -> bytes:
    """The namespace's page key. Raises StoreMismatch if it was made with other partitions.

    `settings` is what `claim` was answered.
    """
    match settings:
        case [bytes(partitions), bytes(page_key)]:
            pass
        case _:
            raise TypeError(f"the claim script answered {settings!r}")
    if partitions != str(PARTITIONS).encode():
        raise StoreMismatch(
            f"namespace {keys.namespace!r} was created with {partitions.decode()} partitions; this "
            f"program uses {PARTITIONS}: choose another namespace, or the program that created it"
        )
    return page_key
