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
    """Takes who waits at each beginning, as a server does."""

    def __init__(self, transport: ChosenTransport) -> None:
        self.start = BatchStart(self._begin, transport)
        self.sizes: list[int] = []
        self.began_s = 0.0
        self._waiting = 0
        self._one_more = asyncio.Event()

    def come(self, count: int = 1) -> None:
        for _ in range(count):
            self._waiting += 1
            self.start.arrived()

    @contextmanager
    def in_work(self, count: int) -> Iterator[None]:
        """So many came together a moment ago and are being answered."""
        self.come(count)
        self._waiting -= count
        with self.start.batch(count):
            yield

    async def next(self) -> int:
        """The size of the batch that begins next."""
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
async def test_one_who_comes_alone_begins_before_any_time_has_passed(
    transport: ChosenTransport,
) -> None:
    batches = Batches(transport)
    for _ in range(3):
        batches.come()
        batches.start.gather()
        for _ in range(6):
            await asyncio.sleep(0)
        assert await batches.next() == 1


async def test_a_full_expected_begins_at_once() -> None:
    batches = Batches("grpcio")
    batches.come(MOST)
    batches.start.gather()
    assert batches.sizes == [MOST]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_comes_while_others_are_in_work_waits_for_a_share_of_all(
    transport: ChosenTransport,
) -> None:
    batches = Batches(transport)
    with batches.in_work(12):
        batches.come()
        batches.start.gather()
        for _ in range(2 * QUIET_TURNS):
            await asyncio.sleep(0)
        assert not batches.sizes
        share = 13 // POLICIES[transport].begins_with
        batches.come(share - 1)
        assert await batches.next() == share


@pytest.mark.parametrize(("count", "native"), [(1, 16), (40, 16), (64, 22), (1_024, 342)])
async def test_a_batch_takes_a_third_of_many_on_native_and_all_on_grpcio(
    count: int, native: int
) -> None:
    batches = {transport: Batches(transport) for transport in TRANSPORTS}
    for each in batches.values():
        each.come(count)
    assert batches["native"].start.share == native
    assert batches["grpcio"].start.share == max(MIN_SHARE, count)


async def test_those_who_are_handed_over_one_by_one_begin_together() -> None:
    batches = Batches("grpcio")
    with batches.in_work(4):
        batches.come(2)
        batches.start.gather()
        for _ in range(4):
            for _ in range(FEW_TURNS // 2):
                await asyncio.sleep(0)
            batches.come()
        assert await batches.next() == 6


async def test_turns_that_bring_nobody_leave_the_core_to_whoever_hands_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    yields: list[int] = []
    monkeypatch.setattr(os, "sched_yield", lambda: yields.append(len(yields)))
    batches = Batches("grpcio")
    batches.come()
    batches.start.gather()
    assert await batches.next() == 1
    assert len(yields) == FEW_TURNS - 1  # after the first nobody can have come yet


async def test_a_crowd_that_is_handed_over_one_by_one_is_found_where_one_was_expected() -> None:
    batches = Batches("grpcio")
    batches.come()
    batches.start.gather()
    for _ in range(MOST - 1):
        for _ in range(FEW_TURNS // 2):
            await asyncio.sleep(0)
        batches.come()
    assert await batches.next() == MOST


async def test_fewer_than_of_late_wait_longer_for_others_and_only_once() -> None:
    batches = Batches("grpcio")
    with batches.in_work(2):
        pass
    turns = []
    for _ in range(2):
        before = len(batches.sizes)
        batches.come()
        batches.start.gather()
        turns.append(0)
        while len(batches.sizes) == before:
            await asyncio.sleep(0)
            turns[-1] += 1
    assert turns[0] >= QUIET_TURNS > turns[1]
    assert batches.sizes == [1, 1]


async def test_expected_that_does_not_come_is_waited_for_once_and_no_longer_than_said() -> None:
    batches = Batches("native")
    with batches.in_work(MOST):
        pass
    began_s = time.monotonic()
    batches.come()
    batches.start.gather()
    assert await batches.next() == 1
    waited_s = batches.began_s - began_s
    assert waited_s >= MAX_WAIT_S / 2  # the loop rounds to its clock's resolution
    batches.come()
    batches.start.gather()
    for _ in range(6):
        await asyncio.sleep(0)
    assert batches.sizes == [1, 1]


async def test_those_who_keep_coming_in_long_turns_begin_in_time() -> None:
    batches = Batches("grpcio")
    with batches.in_work(4):
        batches.come(2)
        batches.start.gather()
        while not batches.sizes:
            time.sleep(MAX_WAIT_S / 4)  # noqa: ASYNC251 (it is the turn that takes so long)
            batches.come()
            await asyncio.sleep(0)
        assert batches.sizes[0] < MOST
