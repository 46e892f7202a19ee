"""Large work runs in threads, while the event loop goes on to accept and refuse calls."""

import asyncio
from collections.abc import AsyncIterator
from threading import Event, Lock, get_ident

import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_server.process.stores import Stores
from foldin_server.runtime import executor
from foldin_server.runtime.executor import INLINE_MULTIPLICATIONS, offload
from foldin_server.runtime.threads import usable_cores
from planted import Planted
from server.live import failure, live, publish_version, until

LARGE = INLINE_MULTIPLICATIONS + 1


class Work:
    """Computations that last until the gate opens."""

    def __init__(self) -> None:
        self.gate = Event()
        self.begun = 0
        self.most = 0
        self._now = 0
        self._lock = Lock()

    def compute(self, number: int) -> int:
        with self._lock:
            self.begun += 1
            self._now += 1
            self.most = max(self.most, self._now)
        assert self.gate.wait(10)
        with self._lock:
            self._now -= 1
        return number

    def begin(self, count: int) -> list["asyncio.Task[int]"]:
        return [asyncio.create_task(offload(LARGE, self.compute, n)) for n in range(count)]


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    made = Work()
    yield made
    made.gate.set()


async def test_small_work_runs_on_the_loop_and_large_work_in_a_thread() -> None:
    assert await offload(INLINE_MULTIPLICATIONS, get_ident) == get_ident()
    assert await offload(LARGE, get_ident) != get_ident()


async def test_an_error_of_the_work_is_raised() -> None:
    for operations in (INLINE_MULTIPLICATIONS, LARGE):
        with pytest.raises(ZeroDivisionError):
            await offload(operations, divmod, 1, 0)


async def test_no_more_threads_compute_than_there_are_cores(work: Work) -> None:
    computing = work.begin(2 * usable_cores())
    await until(lambda: work.begun == usable_cores())
    work.gate.set()
    assert await asyncio.gather(*computing) == list(range(2 * usable_cores()))
    assert work.most == usable_cores()


async def test_cancelled_work_never_begins(work: Work) -> None:
    computing = work.begin(usable_cores())
    await until(lambda: work.begun == usable_cores())
    (left,) = work.begin(1)
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    work.gate.set()
    await asyncio.gather(*computing)
    assert await offload(LARGE, lambda: work.begun) == usable_cores()


async def test_while_all_cores_compute_calls_beyond_the_limit_are_refused_at_once(
    small: Planted, stores: Stores, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "INLINE_MULTIPLICATIONS", 0)
    publish_version(small, stores.models)
    async with live(stores, max_in_flight=2) as app:
        similar, request = app.recommendations.SimilarItems, pb.SimilarItemsRequest(item_id="101")
        computing = work.begin(usable_cores())
        held = [asyncio.ensure_future(similar(request)) for _ in range(2)]
        in_flight = app.server.metrics.registry.get_sample_value
        await until(lambda: in_flight("foldin_in_flight_calls") == 2)
        for _ in range(20):
            failed = await failure(similar(request))
            assert (failed.code, failed.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
            assert failed.retry_ms > 0
        assert not any(call.done() for call in held)
        work.gate.set()
        assert all(answer.items for answer in await asyncio.gather(*held))
        await asyncio.gather(*computing)
