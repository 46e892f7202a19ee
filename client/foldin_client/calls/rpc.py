"""`Rpc`: one request with its method and the decoder of its response, as a value.

`Client` and `AsyncClient` both send these and differ in nothing else. The functions that build
them are in `recommendation_calls`, `catalog_calls` and `model_calls`.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, ParamSpec, Protocol, TypeVar

from google.protobuf.message import Message

from foldin_client.calls.field_limits import invalid_field

ResponseT = TypeVar("ResponseT", bound=Message)
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol):
    """An answer that is one page of a list; the token is empty on the last page."""

    @property
    def next_page_token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rpc(Generic[T_co]):
    """A request, the path of its method, and the decoder of the response's bytes."""

    path: str
    request: Message
    decode: Callable[[bytes], T_co]

    def at_page(self, token: str) -> "Rpc[T_co]":
        """Returns the same RPC for the page of this token."""
        request = type(self.request)()
        request.CopyFrom(self.request)
        setattr(request, "page_token", token)  # noqa: B010  only paged requests get here
        return replace(self, request=request)


def sender(build: Callable[P, Rpc[T]], send: Callable[[Rpc[T]], R]) -> Callable[P, R]:
    """Returns a function with the arguments of `build` that sends the RPC built from them.

    That function raises InvalidField for arguments that no request can carry.
    """

    @functools.wraps(build)
    def method(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            rpc = build(*args, **kwargs)
        except (ValueError, OverflowError) as error:
            arguments = inspect.signature(build).bind(*args, **kwargs).arguments
            raise invalid_field(arguments, error) from error
        return send(rpc)

    return method


def unary(
    service: str,
    method: str,
    request: Message,
    response: type[ResponseT],
    parse: Callable[[ResponseT], T],
) -> Rpc[T]:
    """Returns the RPC of a method of a service; `parse` turns the response into a value."""
    return Rpc(f"/{service}/{method}", request, lambda data: parse(response.FromString(data)))
