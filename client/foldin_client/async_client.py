"""The asynchronous client: every RPC as a method to await, on `grpc.aio`.

A client belongs to the event loop it was made in. What is sent, and how answers read, is in
`*_calls`.
"""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Generic, ParamSpec, Self, TypeVar, overload

import grpc
import grpc.aio

from foldin_client.calls import catalog_calls, model_calls, recommendation_calls
from foldin_client.calls.rpc import Call, Page, sending
from foldin_client.calls.statuses import error_of_call
from foldin_client.channel.address import DEFAULT_ADDRESS, DEFAULT_TIMEOUT_S, target
from foldin_client.channel.options import channel_options
from foldin_client.channel.tls import Tls
from foldin_client.values import Activation

P = ParamSpec("P")
T = TypeVar("T")
PageT = TypeVar("PageT", bound=Page)


class _Rpc(Generic[P, T]):
    """A method that sends the call its arguments make; awaited, it is the answer."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(
        self, client: "AsyncClient | None", owner: type
    ) -> Self | Callable[P, Awaitable[T]]:
        if client is None:
            return self
        return sending(self._build, client.send)


class _Pages(Generic[P, PageT]):
    """A method that iterates over the pages of the call its arguments make, fetched as needed."""

    def __init__(self, build: Callable[P, Call[PageT]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, AsyncIterator[PageT]]: ...
    def __get__(
        self, client: "AsyncClient | None", owner: type
    ) -> Self | Callable[P, AsyncIterator[PageT]]:
        if client is None:
            return self
        return sending(self._build, client.pages)


class AsyncClient:
    """A connection to foldin servers; calls go round them in turn.

    `address` is `host:port`, several `ip:port` with commas, or a gRPC URI such as
    `dns:///foldin:50051`. `timeout_s` bounds every call with its retries. `tls` turns TLS on;
    `credentials` do so in any other way of gRPC. `metadata` goes with every call. ValueError for an
    address or files that can't be used; every method raises a class of `foldin_client.errors`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        tls: Tls | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        options = channel_options(address, None if tls is None else tls.server_name)
        if tls is not None and credentials is None:
            credentials = tls.credentials()
        self._channel = (
            grpc.aio.insecure_channel(target(address), options)
            if credentials is None
            else grpc.aio.secure_channel(target(address), credentials, options)
        )
        self.timeout_s = timeout_s
        self.metadata = tuple((metadata or {}).items())
        self._stubs: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    recommend = _Rpc(recommendation_calls.recommend)
    recommend_pages = _Pages(recommendation_calls.recommend)
    batch_recommend = _Rpc(recommendation_calls.batch_recommend)
    similar_items = _Rpc(recommendation_calls.similar_items)
    similar_items_pages = _Pages(recommendation_calls.similar_items)
    submit_rating = _Rpc(recommendation_calls.submit_rating)
    delete_rating = _Rpc(recommendation_calls.delete_rating)
    batch_submit_ratings = _Rpc(recommendation_calls.batch_submit_ratings)
    predict_ratings = _Rpc(recommendation_calls.predict_ratings)
    get_user_state = _Rpc(recommendation_calls.get_user_state)
    get_item = _Rpc(catalog_calls.get_item)
    list_items = _Rpc(catalog_calls.list_items)
    list_items_pages = _Pages(catalog_calls.list_items)
    list_item_clusters = _Rpc(catalog_calls.list_item_clusters)
    list_popular_items = _Rpc(catalog_calls.list_popular_items)
    list_popular_items_pages = _Pages(catalog_calls.list_popular_items)
    upsert_items = _Rpc(catalog_calls.upsert_items)
    set_item_availability = _Rpc(catalog_calls.set_item_availability)
    get_serving_model = _Rpc(model_calls.get_serving_model)
    list_models = _Rpc(model_calls.list_models)
    activate_model = _Rpc(model_calls.activate_model)
    is_serving = _Rpc(model_calls.is_serving)

    async def rollback(self) -> Activation:
        """The previous version is the current one again. VersionNotFound where there is none."""
        return await self.send(model_calls.rollback(await self.list_models()))

    def with_options(
        self, *, timeout_s: float | None = None, metadata: Mapping[str, str] | None = None
    ) -> Self:
        """The same connection with another deadline or more metadata; closing one closes both."""
        other = copy.copy(self)
        other.timeout_s = self.timeout_s if timeout_s is None else timeout_s
        other.metadata = (*self.metadata, *(metadata or {}).items())
        return other

    async def send(self, call: Call[T]) -> T:
        """The answer of one call."""
        try:
            data = await self._stub(call.path)(
                call.request.SerializeToString(),
                timeout=self.timeout_s,
                metadata=self.metadata,
            )
        except grpc.RpcError as failed:
            raise error_of_call(failed, call.path, self.timeout_s) from failed
        return call.decode(data)

    async def pages(self, call: Call[PageT]) -> AsyncIterator[PageT]:
        """The pages of one paged call, each fetched when it is asked for."""
        page = await self.send(call)
        yield page
        while page.next_page_token:
            page = await self.send(call.at_page(page.next_page_token))
            yield page

    def _stub(self, path: str) -> "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]":
        if path not in self._stubs:
            self._stubs[path] = self._channel.unary_unary(path)
        return self._stubs[path]

    async def close(self) -> None:
        """The connections are closed; calls in flight end with CANCELLED."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
