"""When batches begin: a single call never waits, and of many calls a share begins together."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from foldin_server.fast_path.batch_start import MAX_WAIT_S, MIN_SHARE, POLICIES, BatchStart
from foldin_server.settings import ChosenTransport

TRANSPORTS: tuple[ChosenTransport, ...] = ("grpcio", "native")
MOST = POLICIES["grpcio"].most
QUIET_TURNS = POLICIES["grpcio"].quiet_turns
FEW_TURNS = POLICIES["grpcio"].few_turns


class Batches:
    """Records the size of each batch when it begins."""

    def __init__(self, transport: ChosenTransport) -> None:
        self.start = BatchStart(self._begin, transport)
        self.sizes: list[int] = []
        self.began_s = 0.0
        self._waiting = 0
        self._one_more = asyncio.Event()

    def arrive(self, count: int = 1) -> None:
        for _ in range(count):
            self._waiting += 1
            self.start.arrived()

    @contextmanager
    def in_work(self, count: int) -> Iterator[None]:
        """Inside the block, `count` calls are in work."""
        self.arrive(count)
        self._waiting -= count
        with self.start.batch(count):
            yield

    async def next(self) -> int:
        """Waits for the next batch to begin and returns its size."""
        await asyncio.wait_for(self._one_more.wait(), 10)
        self._one_more.clear()
        return self.sizes[-1]

    def _begin(self) -> None:
        self.began_s = time.monotonic()
        count, self._waiting = self._waiting, 0
        self.sizes.append(count)
        with self.start.batch(count):
            self._one_more.set()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_single_call_begins_at_once(
    transport: ChosenTransport,
) -> None:
    batches = Batches(transport)
    for _ in range(3):
        batches.arrive()
        batches.start.gather()
        for _ in range(6):
            await asyncio.sleep(0)
        assert await batches.next() == 1


async def test_a_batch_with_all_expected_calls_begins_at_once() -> None:
    batches = Batches("grpcio")
    batches.arrive(MOST)
    batches.start.gather()
    assert batches.sizes == [MOST]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_call_that_arrives_during_a_batch_waits_for_a_share_of_all(
    transport: ChosenTransport,
) -> None:
    batches = Batches(transport)
    with batches.in_work(12):
        batches.arrive()
        batches.start.gather()
        for _ in range(2 * QUIET_TURNS):
            await asyncio.sleep(0)
        assert not batches.sizes
        share = 13 // POLICIES[transport].begins_with
        batches.arrive(share - 1)
        assert await batches.next() == share


@pytest.mark.parametrize(("count", "native"), [(1, 16), (40, 16), (64, 22), (1_024, 342)])
async def test_a_batch_takes_a_third_of_many_on_native_and_all_on_grpcio(
    count: int, native: int
) -> None:
    batches = {transport: Batches(transport) for transport in TRANSPORTS}
    for each in batches.values():
        each.arrive(count)
    assert batches["native"].start.share == native
    assert batches["grpcio"].start.share == max(MIN_SHARE, count)


async def test_calls_that_arrive_singly_begin_together() -> None:
    batches = Batches("grpcio")
    with batches.in_work(4):
        batches.arrive(2)
        batches.start.gather()
        for _ in range(4):
            for _ in range(FEW_TURNS // 2):
                await asyncio.sleep(0)
            batches.arrive()
        assert await batches.next() == 6


async def test_turns_without_a_new_call_yield_the_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    yields: list[int] = []
    monkeypatch.setattr(os, "sched_yield", lambda: yields.append(len(yields)))
    batches = Batches("grpcio")
    batches.arrive()
    batches.start.gather()
    assert await batches.next() == 1
    assert len(yields) == FEW_TURNS - 1  # in the first turn no call can have arrived yet


async def test_many_calls_that_arrive_singly_form_the_expected_batch() -> None:
    batches = Batches("grpcio")
    batches.arrive()
    batches.start.gather()
    for _ in range(MOST - 1):
        for _ in range(FEW_TURNS // 2):
            await asyncio.sleep(0)
        batches.arrive()
    assert await batches.next() == MOST


async def test_fewer_calls_than_recently_wait_once_for_more() -> None:
    batches = Batches("grpcio")
    with batches.in_work(2):
        pass
    turns = []
    for _ in range(2):
        before = len(batches.sizes)
        batches.arrive()
        batches.start.gather()
        turns.append(0)
        while len(batches.sizes) == before:
            await asyncio.sleep(0)
            turns[-1] += 1
    assert turns[0] >= QUIET_TURNS > turns[1]
    assert batches.sizes == [1, 1]


async def test_missing_calls_are_waited_for_once_up_to_the_limit() -> None:
    batches = Batches("native")
    with batches.in_work(MOST):
        pass
    began_s = time.monotonic()
    batches.arrive()
    batches.start.gather()
    assert await batches.next() == 1
    waited_s = batches.began_s - began_s
    assert waited_s >= MAX_WAIT_S / 2  # the loop rounds to its clock's resolution
    batches.arrive()
    batches.start.gather()
    for _ in range(6):
        await asyncio.sleep(0)
    assert batches.sizes == [1, 1]


async def test_calls_that_keep_arriving_do_not_delay_a_batch() -> None:
    batches = Batches("grpcio")
    with batches.in_work(4):
        batches.arrive(2)
        batches.start.gather()
        while not batches.sizes:
            time.sleep(MAX_WAIT_S / 4)  # noqa: ASYNC251 (the turn of the loop is meant to be long)
            batches.arrive()
            await asyncio.sleep(0)
        assert batches.sizes[0] < MOST
