"""`AsyncClient`, the asynchronous client: every RPC is a method to await, on `grpc.aio`.

A client belongs to the event loop in which it was created. Requests and answers are in `calls/`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Generic, ParamSpec, Self, TypeVar, overload

import grpc
import grpc.aio

from foldin_client.calls import catalog_calls, model_calls, recommendation_calls
from foldin_client.calls.rpc import Page, Rpc, sender
from foldin_client.calls.statuses import error_of_call
from foldin_client.channel.address import DEFAULT_ADDRESS, DEFAULT_TIMEOUT_S
from foldin_client.channel.call_options import CallOptions
from foldin_client.channel.options import channel_arguments
from foldin_client.channel.tls import Tls
from foldin_client.values import Activation

P = ParamSpec("P")
T = TypeVar("T")
PageT = TypeVar("PageT", bound=Page)


class _Unary(Generic[P, T]):
    """A method that sends the RPC built from its arguments; awaited, it returns the answer."""

    def __init__(self, build: Callable[P, Rpc[T]]) -> None:
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
        return sender(self._build, client.send)


class _Pages(Generic[P, PageT]):
    """A method that yields the pages of the list that its arguments ask for, fetched as needed."""

    def __init__(self, build: Callable[P, Rpc[PageT]]) -> None:
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
        return sender(self._build, client.pages)


class AsyncClient(CallOptions):
    """A connection to foldin servers; calls are spread over them in turn.

    `address` is `host:port`, several `ip:port` with commas, or a gRPC URI such as
    `dns:///foldin:50051`. `timeout_s` limits every call with its retries. `tls` turns TLS on;
    `credentials` are any other of gRPC's. `metadata` is sent with every call. Raises ValueError for
    an address or files that cannot be used; every method raises a class of
    `foldin_client.errors`.
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
        super().__init__(timeout_s, metadata)
        target, secrets, options = channel_arguments(address, tls, credentials)
        self._channel = (
            grpc.aio.insecure_channel(target, options)
            if secrets is None
            else grpc.aio.secure_channel(target, secrets, options)
        )
        self._stubs: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    recommend = _Unary(recommendation_calls.recommend)
    recommend_pages = _Pages(recommendation_calls.recommend)
    batch_recommend = _Unary(recommendation_calls.batch_recommend)
    similar_items = _Unary(recommendation_calls.similar_items)
    similar_items_pages = _Pages(recommendation_calls.similar_items)
    submit_rating = _Unary(recommendation_calls.submit_rating)
    delete_rating = _Unary(recommendation_calls.delete_rating)
    batch_submit_ratings = _Unary(recommendation_calls.batch_submit_ratings)
    predict_ratings = _Unary(recommendation_calls.predict_ratings)
    get_user_state = _Unary(recommendation_calls.get_user_state)
    get_item = _Unary(catalog_calls.get_item)
    list_items = _Unary(catalog_calls.list_items)
    list_items_pages = _Pages(catalog_calls.list_items)
    list_item_clusters = _Unary(catalog_calls.list_item_clusters)
    list_popular_items = _Unary(catalog_calls.list_popular_items)
    list_popular_items_pages = _Pages(catalog_calls.list_popular_items)
    upsert_items = _Unary(catalog_calls.upsert_items)
    set_item_availability = _Unary(catalog_calls.set_item_availability)
    get_serving_model = _Unary(model_calls.get_serving_model)
    list_models = _Unary(model_calls.list_models)
    activate_model = _Unary(model_calls.activate_model)
    is_serving = _Unary(model_calls.is_serving)

    async def rollback(self) -> Activation:
        """Makes the previous version the current one. Raises VersionNotFound if there is none."""
        return await self.send(model_calls.rollback(await self.list_models()))

    async def send(self, rpc: Rpc[T]) -> T:
        """Sends one RPC and returns its answer."""
        try:
            data = await self._stub(rpc.path)(
                rpc.request.SerializeToString(),
                timeout=self.timeout_s,
                metadata=self.metadata,
            )
        except grpc.RpcError as failed:
            raise error_of_call(failed, rpc.path, self.timeout_s) from failed
        return rpc.decode(data)

    async def pages(self, rpc: Rpc[PageT]) -> AsyncIterator[PageT]:
        """Yields the pages of a list, each fetched when the caller takes it."""
        page = await self.send(rpc)
        yield page
        while page.next_page_token:
            page = await self.send(rpc.at_page(page.next_page_token))
            yield page

    def _stub(self, path: str) -> "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]":
        if path not in self._stubs:
            self._stubs[path] = self._channel.unary_unary(path)
        return self._stubs[path]

    async def close(self) -> None:
        """Closes the connections; calls in flight end with CANCELLED."""
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
