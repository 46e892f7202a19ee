"""The Redis rating store when the server dies, hangs or comes back, and when callers give up."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from foldin_model.errors import StoreMismatch, StoreRefused, StoreUnavailable
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_model.store.keys import Keys
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.operations import RedisOperations
from foldin_model.store.redis.ratings import RedisRatingStore
from machines import Machine, opened, write
from redis import Redis

V1 = Version("v1")
ANN = UserId("ann")


@pytest.fixture
async def store(machine: Machine) -> AsyncIterator[RedisRatingStore]:
    async with opened(machine) as made:
        yield made


async def test_every_acknowledged_write_survives_a_kill(
    machine: Machine, store: RedisRatingStore
) -> None:
    acknowledged: list[str] = []
    enough = asyncio.Event()

    async def writing(worker: int) -> None:
        for number in range(10_000):
            item = f"{worker}-{number}"
            await store.write(write(f"user {worker}", item))
            acknowledged.append(item)
            if len(acknowledged) == 300:
                enough.set()

    async def kill() -> None:
        await enough.wait()
        machine.signal(signal.SIGKILL)

    outcomes = await asyncio.gather(*map(writing, range(4)), kill(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[:4]] == [StoreUnavailable] * 4
    machine.start()
    stored: set[str] = set()
    for worker in range(4):
        history = (await store.read(UserId(f"user {worker}"), V1)).history
        assert history is not None
        stored.update(history.item_ids)
    assert stored.issuperset(acknowledged)


async def test_a_store_that_is_gone_is_unavailable_until_it_is_back(
    machine: Machine, store: RedisRatingStore
) -> None:
    models = RedisModelStore(machine.url, "ns")
    first = await store.write(write("ann", "a"))
    key = models.page_key()
    machine.signal(signal.SIGKILL)
    for call in (
        store.write(write("ann", "b")),
        store.read(ANN, V1),
        store.keep_folded([(ANN, PackedUser(V1, 0, b"\1" + bytes(8) + b"\2\0v1"))]),
        store.ping(),
    ):
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            await call
    with pytest.raises(StoreUnavailable):
        models.pointer()
    machine.start()
    second = await store.write(write("ann", "b"))
    assert second.revision > first.revision
    history = (await store.read(ANN, V1)).history
    assert history is not None
    assert set(history.item_ids) == {"a", "b"}
    assert models.pointer().epoch == 0
    models.close()
    with closing(RedisModelStore(machine.url, "ns")) as another:
        assert another.page_key() == key


async def test_a_store_that_hangs_is_unavailable_in_time_and_usable_again(
    machine: Machine,
) -> None:
    async with opened(machine, timeout_s=0.2) as store:
        await store.write(write("ann", "a"))
        machine.signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(5):
                with pytest.raises(StoreUnavailable):
                    await store.read(ANN, V1)
        finally:
            machine.signal(signal.SIGCONT)
        await store.ping()
        state = await store.read(ANN, V1)
        assert state.history is not None
        assert state.history.item_ids == ("a",)


async def test_scripts_that_the_server_forgot_are_loaded_again(
    machine: Machine, store: RedisRatingStore
) -> None:
    await store.write(write("ann", "a"))
    with Redis.from_url(machine.url, protocol=2) as client:
        client.script_flush()
    outcomes = await asyncio.gather(*(store.write(write("ann", f"item {i}")) for i in range(5)))
    assert len({outcome.revision for outcome in outcomes}) == 5


async def test_a_cancelled_read_leaves_the_others_their_own_answers(
    machine: Machine, store: RedisRatingStore
) -> None:
    users = [UserId(f"user {i}") for i in range(40)]
    for user in users:
        await store.write(write(user, f"item of {user}"))
    for delay in range(10):
        reads = [asyncio.ensure_future(store.read(user, V1)) for user in users]
        for _ in range(delay):
            await asyncio.sleep(0)
        for read in reads[::2]:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        for user, read in zip(users[1::2], reads[1::2], strict=True):
            history = read.result().history
            assert history is not None
            assert history.item_ids == (f"item of {user}",)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
async def test_a_write_is_stored_when_its_caller_gives_up(
    machine: Machine, store: RedisRatingStore, steps: int
) -> None:
    call = asyncio.ensure_future(store.write(write("ann", "a")))
    for _ in range(steps):
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await store.close()
    async with opened(machine) as other:
        history = (await other.read(ANN, V1)).history
        assert history is not None
        assert history.item_ids == ("a",)


async def test_a_namespace_of_other_partitions_is_refused(machine: Machine) -> None:
    with Redis.from_url(machine.url, protocol=2) as client:
        client.hset(Keys("other").control, "partitions", "32")
    store, models = RedisRatingStore(machine.url, "other"), RedisModelStore(machine.url, "other")
    with pytest.raises(StoreMismatch, match="32 partitions"):
        await store.ping()
    with pytest.raises(StoreMismatch, match="32 partitions"):
        await store.read(ANN, V1)
    with pytest.raises(StoreMismatch, match="32 partitions"):
        models.pointer()
    await store.close()
    models.close()


def test_a_password_is_not_shown(namespace: str) -> None:
    models = RedisModelStore("redis://user:secret@127.0.0.1:1/0", namespace)
    with pytest.raises(StoreUnavailable, match=r"redis://user:\*\*\*@127\.0\.0\.1:1/0") as caught:
        models.pointer()
    assert "secret" not in str(caught.value)
    models.close()


async def test_a_full_store_refuses_writes_and_is_in_reach(
    machine: Machine, store: RedisRatingStore
) -> None:
    first = await store.write(write(ANN, "1"))
    with Redis.from_url(machine.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(StoreRefused, match="'maxmemory'") as raised:
            await store.write(write(ANN, "2"))
        assert "script" not in str(raised.value)
        assert await store.revision(ANN) == first.revision
        async with opened(machine) as later:
            assert (await later.read(ANN, V1)).revision == first.revision
        operator = RedisOperations(machine.url, "ns")
        assert operator.purge(ANN, []) > 0  # removing needs no memory
        operator.close()
        client.config_set("maxmemory", 0)
    assert (await store.write(write(ANN, "2"))).revision > first.revision


async def test_a_damaged_revision_fails_for_its_own_user(
    machine: Machine, store: RedisRatingStore
) -> None:
    with Redis.from_url(machine.url) as client:
        client.lpush(Keys("ns").revision(ANN), "what?")
    bob = UserId("bob")
    await store.write(write(bob, "1"))
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        await store.revision(ANN)
    assert await store.revision(bob) > 0


async def test_a_namespace_is_not_created_on_a_replica(machine: Machine) -> None:
    with Redis.from_url(machine.url) as client:
        client.replicaof("127.0.0.1", 1)
        async with opened(machine) as store:
            with pytest.raises(StoreUnavailable, match="READONLY"):
                await store.revision(ANN)
        client.replicaof("no", "one")
