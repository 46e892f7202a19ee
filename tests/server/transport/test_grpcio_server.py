"""Several `grpc.aio` servers on one port behave like one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest
from foldin_server.admission.call import Call
from foldin_server.admission.call_log import CallLog
from foldin_server.admission.door import Door
from foldin_server.admission.method import Method, Reply, Work
from foldin_server.admission.places import Places
from foldin_server.runtime.metrics import Metrics
from foldin_server.settings import Settings, SettingsError
from foldin_server.transport.factory import make_server
from foldin_server.transport.grpcio_server import SERVERS, GrpcioServer
from foldin_server.transport.listener import reserved

METHOD = "/test.Echo/Echo"


class Echo:
    """Answers with the bytes of the request once the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.in_work = 0
        self.all_here = asyncio.Event()

    def begin(self, request: bytes, _call: Call, _reply: Reply) -> Work:
        return self._answer(request)

    async def _answer(self, request: bytes) -> bytes:
        self.in_work += 1
        if self.in_work == SERVERS * 4:
            self.all_here.set()
        await self.gate.wait()
        return request


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(echo: Echo) -> GrpcioServer:
    made = GrpcioServer((), a_door())
    made.add_unary_methods({METHOD: Method("Echo", echo.begin)})
    return made


def a_door() -> Door:
    metrics = Metrics()
    return Door(Places(100, metrics), CallLog(metrics, write_lines=False))


@pytest.fixture
async def address(server: GrpcioServer) -> AsyncIterator[str]:
    with reserved("127.0.0.1:0") as place:
        assert server.add_insecure_port(place) == int(place.rpartition(":")[2])
    await server.start()
    yield place
    await server.stop(0)


@asynccontextmanager
async def channels(address: str, count: int) -> AsyncIterator[list[Any]]:
    """Opens `count` connections, which the system shares among the servers."""
    alone = (("grpc.use_local_subchannel_pool", 1),)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, alone))
            for _ in range(count)
        ]


async def test_every_connection_is_answered_and_calls_in_work_end_before_a_stop(
    echo: Echo, server: GrpcioServer, address: str
) -> None:
    async with channels(address, SERVERS * 4) as callers:
        calls = [caller.unary_unary(METHOD)(b"%d" % n) for n, caller in enumerate(callers)]
        await asyncio.wait_for(echo.all_here.wait(), 10)
        stopping = asyncio.create_task(server.stop(10))
        await asyncio.sleep(0)
        assert not stopping.done()
        echo.gate.set()
        assert await asyncio.gather(*calls) == [b"%d" % n for n in range(len(callers))]
        await stopping
        assert not await server.wait_for_termination()
        for caller in callers:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await caller.unary_unary(METHOD)(b"late")
            assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_waiting_for_termination_ends_after_its_timeout(
    server: GrpcioServer, address: str
) -> None:
    assert address
    assert await server.wait_for_termination(0.01)


async def test_another_server_cannot_join_the_port(address: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {address}"):
        make_server(Settings(address=address, transport="grpcio"), a_door())
