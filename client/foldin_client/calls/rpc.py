"""One RPC as a value: the request and what its answer means, before anything is sent.

`Client` and `AsyncClient` both send these and differ in nothing else. The functions that make them
are in `recommendation_calls`, `catalog_calls` and `model_calls`.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, ParamSpec, Protocol, TypeVar

from google.protobuf.message import Message

from foldin_client.calls.field_limits import invalid_field

AnswerT = TypeVar("AnswerT", bound=Message)
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol):
    """An answer that may go on."""

    @property
    def next_page_token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One request, where it goes, and how the bytes of its answer become a value."""

    path: str
    request: Message
    decode: Callable[[bytes], T_co]

    def at_page(self, token: str) -> "Call[T_co]":
        """The same call for the page that the token names."""
        request = type(self.request)()
        request.CopyFrom(self.request)
        setattr(request, "page_token", token)  # noqa: B010  only paged requests come here
        return replace(self, request=request)


def sending(build: Callable[P, Call[T]], send: Callable[[Call[T]], R]) -> Callable[P, R]:
    """The function of the same arguments that sends the call they make.

    Raises InvalidField for arguments that no request can carry.
    """

    @functools.wraps(build)
    def method(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            made = build(*args, **kwargs)
        except (ValueError, OverflowError) as refused:
            arguments = inspect.signature(build).bind(*args, **kwargs).arguments
            raise invalid_field(arguments, refused) from refused
        return send(made)

    return method


def call(
    service: str,
    method: str,
    request: Message,
    answer: type[AnswerT],
    parse: Callable[[AnswerT], T],
) -> Call[T]:
    """The call of a method of a service, the parsed answer its value."""
    return Call(f"/{service}/{method}", request, lambda data: parse(answer.FromString(data)))
