"""How the asynchronous clients reach a store: the connection to open and the commands to log in."""

import asyncio
import ssl
from collections.abc import Callable
from functools import cached_property
from typing import Final, Literal, TypeVar

from redis.asyncio.connection import SSLConnection

from foldin_model.store.redis.client import Command
from foldin_model.store.url import StoreUrl

P = TypeVar("P", bound=asyncio.Protocol)
DEFAULT_USER: Final = "default"


class Endpoint:
    """One store, with the timeouts of its URL or else of the program; made without I/O."""

    def __init__(self, url: StoreUrl, timeout_s: float) -> None:
        self.url = url
        self.timeout_s = url.timeout_s or timeout_s
        self.connect_timeout_s = url.connect_timeout_s or timeout_s

    async def open(self, protocol: Callable[[], P]) -> P:
        """Opens a connection and returns its protocol. Raises OSError."""
        loop, url = asyncio.get_running_loop(), self.url
        if url.kind == "unix":
            return (await loop.create_unix_connection(protocol, url.socket))[1]
        tls = self._tls if url.kind == "rediss" else None
        return (await loop.create_connection(protocol, url.host, url.port, ssl=tls))[1]

    def greeting(self, resp: Literal[2, 3] = 2) -> list[Command]:
        """Returns the first commands of a connection: login, client name and database."""
        url = self.url
        greeting: list[Command] = []
        login = url.user or url.password
        if resp == 3:
            auth = ("AUTH", url.user or DEFAULT_USER, url.password or "") if login else ()
            greeting.append(("HELLO", 3, *auth))
        elif login:
            greeting.append(("AUTH", *filter(None, (url.user,)), url.password or ""))
        if url.client_name:
            greeting.append(("CLIENT", "SETNAME", url.client_name))
        if url.database:
            greeting.append(("SELECT", url.database))
        return greeting

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The context that redis-py makes of the options, so that all clients do the same TLS."""
        made = SSLConnection(**self.url.tls)  # type: ignore[arg-type]
        context: ssl.SSLContext = made.ssl_context.get()
        return context
