"""The pipelines to a store: every reply reaches its own caller, whatever happens in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import uuid4

import pytest
from foldin_model.errors import StoreUnavailable
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.protocols import RatingWrite
from foldin_model.store.redis.client import Command, Transaction
from foldin_model.store.redis.endpoint import Endpoint
from foldin_model.store.redis.pipeline import Pipeline, SentCommand
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.redis.reconnecting_pipeline import ReconnectingPipeline
from foldin_model.store.url import parse_store_url
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

ANN, V1 = UserId("ann"), Version("v1")


class Wire:
    """A transport that records what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.aborted = True


def pipeline_on(wire: Wire, pushed: list[object], ends: list[Exception]) -> Pipeline:
    pipeline = Pipeline(
        0.05,
        lambda sent, error: sent.future.set_exception(error),
        lambda _, reason: ends.append(reason),
        pushed.append,
    )
    pipeline.connection_made(cast("Any", wire))
    return pipeline


def replies(count: int) -> list[asyncio.Future[object]]:
    loop = asyncio.get_running_loop()
    return [loop.create_future() for _ in range(count)]


def commands(count: int) -> list[SentCommand]:
    return [SentCommand(b"%d" % number, future) for number, future in enumerate(replies(count))]


@given(
    batches=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    gone=st.sets(st.integers(0, 40)),
    pushes=st.sets(st.integers(0, 40)),
    piece=st.integers(1, 30),
)
def test_each_reply_reaches_its_own_caller(
    batches: list[int], gone: set[int], pushes: set[int], piece: int
) -> None:
    async def check() -> None:
        pushed: list[object] = []
        ends: list[Exception] = []
        pipeline = pipeline_on(Wire(), pushed, ends)
        futures = replies(sum(batches))
        sent = [SentCommand(b"%d" % number, future) for number, future in enumerate(futures)]
        start = 0
        for size in batches:
            pipeline.send(sent[start : start + size])
            start += size
        for number in gone & set(range(len(sent))):
            futures[number].cancel()
        data = b""
        for number in range(len(sent)):
            data += b">2\r\n+push\r\n:%d\r\n" % number if number in pushes else b""
            data += b"$%d\r\n%d\r\n" % (len(str(number)), number)
        for cut in range(0, len(data), piece):
            pipeline.data_received(data[cut : cut + piece])
        for number in range(len(sent)):
            if number in gone:
                assert futures[number].cancelled()
            else:
                assert futures[number].result() == b"%d" % number
        assert pushed == [[b"push", number] for number in range(len(sent)) if number in pushes]
        assert not pipeline.unanswered()
        pipeline.end(ConnectionError("done"))
        assert len(ends) == 1

    asyncio.run(check())


async def test_a_batch_is_one_write() -> None:
    wire = Wire()
    pipeline = pipeline_on(wire, [], [])
    pipeline.send(commands(3))
    assert wire.written == [b"012"]
    pipeline.end(ConnectionError("done"))


async def test_a_late_last_reply_ends_the_connection_and_a_timely_one_does_not() -> None:
    wire, ends = Wire(), list[Exception]()
    pipeline = pipeline_on(wire, [], ends)
    first, second = commands(2)
    pipeline.send([first])
    pipeline.data_received(b"+OK\r\n")
    pipeline.send([second])
    async with asyncio.timeout(5):
        while not ends:  # noqa: ASYNC110 (the timer of the pipeline is under test)
            await asyncio.sleep(0.005)
    assert isinstance(ends[0], TimeoutError)
    assert wire.aborted
    assert pipeline.unanswered() == [second]


async def test_a_store_that_goes_on_answering_is_waited_for() -> None:
    wire, ends = Wire(), list[Exception]()
    pipeline = pipeline_on(wire, [], ends)
    answered = replies(5)
    pipeline.send([SentCommand(b"what", future) for future in answered])
    for _ in answered:
        await asyncio.sleep(0.03)  # less than the 0.05 that a reply may take
        pipeline.data_received(b"+OK\r\n")
    assert [future.result() for future in answered] == [b"OK"] * 5
    assert not ends
    pipeline.end(ConnectionError("done"))


async def test_while_the_loop_was_held_up_no_reply_is_missed() -> None:
    wire, ends = Wire(), list[Exception]()
    pipeline = pipeline_on(wire, [], ends)
    (answered,) = replies(1)
    pipeline.send([SentCommand(b"what", answered)])
    time.sleep(0.15)  # noqa: ASYNC251 (other work on the loop)
    await asyncio.sleep(0.02)  # the loop needs some turns to read what has arrived
    pipeline.data_received(b"+OK\r\n")
    assert answered.result() == b"OK"
    assert not ends
    pipeline.end(ConnectionError("done"))


@pytest.mark.parametrize("data", [b"+OK\r\n", b"?what\r\n"], ids=["unasked", "not a reply"])
async def test_what_cannot_be_a_reply_ends_the_connection(data: bytes) -> None:
    wire, ends = Wire(), list[Exception]()
    pipeline_on(wire, [], ends).data_received(data)
    assert wire.aborted
    assert [type(end) for end in ends] == [ConnectionError]


async def ask(pipeline: ReconnectingPipeline, *commands: Command) -> list[object]:
    return await asyncio.gather(*(pipeline.submit(command) for command in commands))


def plain(url: str) -> ReconnectingPipeline:
    def accept(_: Sequence[object]) -> None:
        """Accepts the replies."""

    return ReconnectingPipeline(Endpoint(parse_store_url(url), 5.0), lambda: (), accept)


async def test_an_error_is_for_its_own_caller(valkey_url: str, namespace: str) -> None:
    pipeline = plain(valkey_url)
    commands = (("SET", namespace, "x"), ("INCR", namespace), ("GET", namespace))
    replies = await asyncio.gather(*map(pipeline.submit, commands), return_exceptions=True)
    assert replies[::2] == [b"OK", b"x"]
    assert isinstance(replies[1], StoreUnavailable)
    assert "not an integer" in str(replies[1])
    await pipeline.close()


async def test_a_transaction_has_one_reply_among_the_others(
    valkey_url: str, namespace: str
) -> None:
    pipeline = plain(valkey_url)
    both = Transaction((("INCR", namespace), ("GET", namespace)))
    first, second = pipeline.submit(both), pipeline.submit(("INCR", namespace))
    third = pipeline.submit(both)
    assert [await first, await second, await third] == [[1, b"1"], 2, [3, b"3"]]
    await pipeline.close()


async def test_a_connection_that_was_killed_is_renewed(valkey_url: str, namespace: str) -> None:
    store = RedisRatingStore(valkey_url, namespace)
    await store.write(RatingWrite(ANN, ItemId("a"), 3.0))
    with Redis.from_url(valkey_url, protocol=2) as client:
        for _ in range(5):
            client.client_kill_filter(_type="normal", skipme=True)
            calls = [store.read(UserId(f"{i}"), V1) for i in range(20)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(o).__name__ for o in outcomes} <= {"StoredUser", "StoreUnavailable"}
            history = (await store.read(ANN, V1)).history
            assert history is not None
            assert history.item_ids == ("a",)
    await store.close()


class Guarded:
    """A store that requires a user and a password."""

    def __init__(self, data_dir: Path, users: ExitStack) -> None:
        self.socket_url = users.enter_context(embedded_store(data_dir, appendfsync="no"))
        self.client: Any = users.enter_context(Redis.from_url(self.socket_url, protocol=2))
        self.client.config_set("port", "0")
        self.client.acl_setuser(
            "app", enabled=True, passwords=["+secret"], categories=["+@all"], keys=["*"]
        )


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    with TemporaryDirectory(prefix="foldin-") as folder, ExitStack() as users:
        yield Guarded(Path(folder), users)


@pytest.fixture
async def asked(guarded: Guarded) -> AsyncIterator[ReconnectingPipeline]:
    pipeline = plain(
        guarded.socket_url.replace("unix://", "unix://app:secret@") + "?db=3&client_name=x"
    )
    yield pipeline
    await pipeline.close()


async def test_the_url_names_the_user_the_client_and_the_database(
    guarded: Guarded, asked: ReconnectingPipeline
) -> None:
    assert await ask(asked, ("ACL", "WHOAMI"), ("CLIENT", "GETNAME"), ("SET", "k", "v")) == [
        b"app",
        b"x",
        b"OK",
    ]
    with Redis.from_url(f"{guarded.socket_url}?db=3", protocol=2) as client:
        assert client.get("k") == b"v"


async def test_a_wrong_password_is_reported_without_it(guarded: Guarded) -> None:
    pipeline = plain(guarded.socket_url.replace("unix://", "unix://app:wrong-word@"))
    with pytest.raises(StoreUnavailable, match="WRONGPASS") as caught:
        await pipeline.submit(("PING",))
    assert "wrong-word" not in str(caught.value)
    await pipeline.close()


async def test_a_transaction_that_is_not_run_says_which_command_was_refused(
    guarded: Guarded, asked: ReconnectingPipeline
) -> None:
    guarded.client.acl_setuser(
        "app", enabled=True, passwords=["+secret"], commands=["-hgetall"], keys=["*"]
    )
    refused = asked.submit(Transaction((("GET", "k"), ("HGETALL", "h"))))
    after = asked.submit(("PING",))
    with pytest.raises(StoreUnavailable, match=r"NOPERM.*hgetall"):
        await refused
    assert await after == b"PONG"


async def test_a_replica_that_refuses_writes_is_disconnected(guarded: Guarded) -> None:
    store = RedisRatingStore(guarded.socket_url, f"ns-{uuid4().hex}")
    await store.write(RatingWrite(ANN, ItemId("a"), 3.0))
    guarded.client.replicaof("127.0.0.1", "1")
    with pytest.raises(StoreUnavailable, match="READONLY"):
        await store.write(RatingWrite(ANN, ItemId("b"), 3.0))
    guarded.client.replicaof("NO", "ONE")
    await store.write(RatingWrite(ANN, ItemId("b"), 3.0))
    history = (await store.read(ANN, V1)).history
    assert history is not None
    assert set(history.item_ids) == {"a", "b"}
    await store.close()


async def test_a_host_and_a_port_are_connected_to() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(b"+PONG\r\n" * data.count(b"PING"))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        pipeline = plain(f"redis://{host}:{port}")
        assert await ask(pipeline, ("PING",), ("PING",)) == [b"PONG", b"PONG"]
        await pipeline.close()
