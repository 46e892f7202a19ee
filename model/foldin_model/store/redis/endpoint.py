"""Where the url of a store leads: a socket to open and the words to say there first.

redis-py reads the url, so that every option it knows means here what it means there.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)

from foldin_model.errors import InvalidField, Violation
from foldin_model.store.redis.connection import Command

P = TypeVar("P", bound=asyncio.Protocol)
DEFAULT_USER: Final = "default"


class Endpoint:
    """One store as a url names it; made without I/O. Raises InvalidField for what names none."""

    def __init__(self, url: str, timeout_s: float) -> None:
        try:
            pool = ConnectionPool.from_url(
                url, protocol=2, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
            )
            made: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        except (AttributeError, TypeError, ValueError) as error:  # whatever an option leads to
            raise InvalidField(Violation("redis_url", _remedy(url))) from error
        self.url = url
        self.timeout_s: float = made.socket_timeout or timeout_s
        self.connect_timeout_s: float = made.socket_connect_timeout or timeout_s
        self._made = made

    async def open(self, protocol: Callable[[], P]) -> P:
        """The protocol on a new connection. Raises OSError."""
        loop, made = asyncio.get_running_loop(), self._made
        if isinstance(made, UnixDomainSocketConnection):
            return (await loop.create_unix_connection(protocol, made.path))[1]
        if not isinstance(made, Connection):
            raise TypeError(f"a connection of {type(made).__name__} is of no kind known here")
        tls = made.ssl_context.get() if isinstance(made, SSLConnection) else None
        return (await loop.create_connection(protocol, made.host, int(made.port), ssl=tls))[1]

    def greeting(self, resp: Literal[2, 3] = 2) -> list[Command]:
        """The commands that a new connection begins with: who we are and which database."""
        made = self._made
        greeting: list[Command] = []
        if resp == 3:
            login = ("AUTH", made.username or DEFAULT_USER, made.password) if made.password else ()
            greeting.append(("HELLO", 3, *login))
        elif made.password:
            greeting.append(("AUTH", *filter(None, (made.username,)), made.password))
        if made.client_name:
            greeting.append(("CLIENT", "SETNAME", made.client_name))
        if made.db:
            greeting.append(("SELECT", int(made.db)))
        return greeting


def _remedy(url: str) -> str:
    """What is said of a url that names no store; no value of it, for any may be secret."""
    remedy = "is no url of a store; write redis://host:6379/0, rediss:// or unix:///path"
    try:
        options = ", ".join(parse_qs(urlsplit(url).query, keep_blank_values=True))
    except ValueError:
        return remedy
    return f"{remedy}, with options that redis-py knows, unlike {options}" if options else remedy
