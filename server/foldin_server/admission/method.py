"""One unary method as the door runs it: bytes in, bytes out."""

from collections.abc import Callable, Coroutine
from typing import NamedTuple, Protocol

from foldin_server.admission.call import Call


class Reply(Protocol):
    """The receiver of one response. An `asyncio.Future` is one."""

    def done(self) -> bool:
        """Returns whether nobody waits for the response any more."""
        ...

    def set_result(self, result: bytes, /) -> object: ...

    def set_exception(self, exception: Exception, /) -> object: ...


Work = Coroutine[object, object, bytes]
Begin = Callable[[bytes, Call, Reply], Work | None]
"""Begins a call. Either returns work that results in the response, or sets the reply later."""


class Method(NamedTuple):
    """One unary method, by its name without the service.

    One that is `arrival_only` serves operators (health): it takes no place among the calls in
    flight, names no users and leaves no record.
    """

    name: str
    begin: Begin
    arrival_only: bool = False
