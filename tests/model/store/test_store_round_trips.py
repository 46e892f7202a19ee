"""Concurrent calls of the Redis rating store share round trips."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser, folded_stamp
from foldin_model.store.redis.ratings import RedisRatingStore
from machines import Machine, opened, write
from redis import Redis

V1 = Version("v1")
ANN = UserId("ann")


@pytest.fixture
async def store(machine: Machine) -> AsyncIterator[RedisRatingStore]:
    async with opened(machine) as made:
        yield made


def round_trips(url: str) -> int:
    """Returns how many times the server has read from a connection, this one included."""
    with Redis.from_url(url, protocol=2) as client:
        return int(client.info("stats")["total_reads_processed"])


async def count_round_trips(url: str, *calls: "asyncio.Task[Any]") -> int:
    before = round_trips(url)
    overhead = round_trips(url) - before
    await asyncio.gather(*calls)
    return round_trips(url) - before - 2 * overhead


async def keep_folded(store: RedisRatingStore, user: UserId) -> None:
    outcome = await store.write(write(user, "item"))
    assert await store.keep_folded(
        [(user, PackedUser(V1, outcome.revision, folded_stamp(V1, outcome.revision)))]
    ) == [True]


async def test_reads_that_arrive_together_share_one_round_trip(
    machine: Machine, store: RedisRatingStore
) -> None:
    users = [UserId(f"user {i}") for i in range(50)]
    await asyncio.gather(*(keep_folded(store, user) for user in users))
    await store.read(ANN, V1)
    reads = [asyncio.ensure_future(store.read(user, V1)) for user in users]
    assert await count_round_trips(machine.url, *reads) == 1
    assert all(read.result().folded for read in reads)
    await asyncio.gather(*(store.write(write(user, "other")) for user in users))
    reads = [asyncio.ensure_future(store.read(user, V1)) for user in users]
    assert await count_round_trips(machine.url, *reads) == 2
    assert all(read.result().history for read in reads)


async def test_writes_that_arrive_together_share_one_round_trip(
    machine: Machine, store: RedisRatingStore
) -> None:
    await store.write(write("ann", "item"))
    writes = [asyncio.ensure_future(store.write(write("ann", f"item {i}"))) for i in range(20)]
    assert await count_round_trips(machine.url, *writes) == 1
    history = (await store.read(ANN, V1)).history
    assert history is not None
    assert len(history) == 21


async def test_one_read_is_one_round_trip(machine: Machine, store: RedisRatingStore) -> None:
    await keep_folded(store, ANN)
    await store.read(ANN, V1)
    for call in (store.read(ANN, V1), store.read(ANN, V1, history=True), store.revision(ANN)):
        assert await count_round_trips(machine.url, asyncio.ensure_future(call)) == 1
