"""Gathering: nobody who comes alone waits, and in a crowd nobody begins alone."""

import asyncio
import time

from foldin_server.gathering import COMPANY, LONGEST_S, Gathering


class Begun:
    """Notes when batches begin."""

    def __init__(self) -> None:
        self.count = 0
        self.at_s = 0.0
        self.event = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self.at_s = asyncio.get_running_loop().time()
        self.event.set()


def crowd(gathering: Gathering, begun: Begun) -> None:
    """A company begins at once; what comes next comes to a crowd."""
    now_s = time.monotonic()
    for _ in range(COMPANY):
        gathering.arrived(now_s)
    gathering.gather()
    assert begun.count == 1
    begun.event.clear()


async def test_one_who_comes_alone_begins_before_any_time_has_passed() -> None:
    begun = Begun()
    gathering = Gathering(begun)
    gathering.arrived(time.monotonic())
    gathering.gather()
    assert begun.count == 0
    for _ in range(COMPANY):
        await asyncio.sleep(0)
    assert begun.count == 1


async def test_in_a_crowd_the_first_waits_until_there_is_company() -> None:
    begun = Begun()
    gathering = Gathering(begun)
    crowd(gathering, begun)
    gathering.arrived(time.monotonic())
    gathering.gather()
    for _ in range(COMPANY - 2):
        gathering.arrived(time.monotonic())
        await asyncio.sleep(0)
    assert begun.count == 1
    gathering.arrived(time.monotonic())
    assert begun.count == 2


async def test_in_a_crowd_that_has_gone_the_first_waits_no_longer_than_said() -> None:
    begun = Begun()
    gathering = Gathering(begun)
    crowd(gathering, begun)
    began_s = asyncio.get_running_loop().time()
    gathering.arrived(time.monotonic())
    gathering.gather()
    await asyncio.wait_for(begun.event.wait(), 10)
    assert begun.count == 2
    assert begun.at_s - began_s >= LONGEST_S / 2  # the loop rounds to its clock's resolution
    await asyncio.sleep(2 * LONGEST_S)
    assert begun.count == 2


async def test_those_who_come_now_and_then_are_no_crowd() -> None:
    begun = Begun()
    gathering = Gathering(begun)
    for place in range(2 * COMPANY):
        gathering.arrived(place * 2 * LONGEST_S / COMPANY)
        if not place % 2:
            gathering.gather()
            for _ in range(COMPANY):
                await asyncio.sleep(0)
    assert begun.count == COMPANY
