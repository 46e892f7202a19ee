"""The load generator counts what it should, and the page of results is rendered from them."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from foldin.v1 import recommendation_pb2 as pb

from benchmarks.report import BEGIN, END, accuracy_tables, render
from benchmarks.serving.freshness import Connection
from benchmarks.serving.generator.load import Load, load
from benchmarks.serving.generator.requests import SERVICE
from benchmarks.serving.generator.wire import GrpcWire, HttpWire, grpc_request, http_request
from benchmarks.serving.servers import Running, echo

REPLY_BYTES = 70_000  # more than a frame and than a flow-control window


@pytest.fixture(scope="module", params=["grpcio", "native"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with echo(request.param, REPLY_BYTES) as running:
        yield running


def loaded(server: Running, method: str, calls: int) -> Load:
    bodies = [grpc_request(SERVICE + method, bytes(size)) for size in range(calls)]
    return load(
        server.address, lambda: GrpcWire(server.address), iter(bodies), connections=4, seconds=60
    )


def test_a_load_ends_with_its_calls_and_counts_every_answer(server: Running) -> None:
    done = loaded(server, "Recommend", 200)
    assert (done.calls, done.total, done.failed) == (200, 200, 0)
    assert done.reply_bytes == REPLY_BYTES + 5
    assert 0 < done.p50_ms <= done.p99_ms <= done.p999_ms


def test_a_call_that_ends_in_an_error_counts_as_failed(server: Running) -> None:
    assert loaded(server, "NoSuchMethod", 8).failed == 8


def test_a_load_ends_in_time(server: Running) -> None:
    calls = cycle([grpc_request(SERVICE + "Recommend", b"")])
    done = load(
        server.address, lambda: GrpcWire(server.address), calls, connections=2, seconds=0.05
    )
    assert done.seconds <= 0.05
    assert done.total - done.calls >= 2  # those that were under way when the time was up


def test_calls_begin_when_they_are_due_and_not_before(server: Running) -> None:
    bodies = [grpc_request(SERVICE + "Recommend", b"")] * 40
    done = load(
        server.address,
        lambda: GrpcWire(server.address),
        iter(bodies),
        connections=8,
        seconds=60,
        rate=200,
    )
    assert done.calls == 40
    assert done.seconds >= 39 / 200


def test_a_reply_is_read_whole(server: Running) -> None:
    connection = Connection(server.address)
    reply = connection.ask("Recommend", pb.RecommendRequest(user_id="1"))
    assert reply == bytes(REPLY_BYTES)
    connection.socket.close()


def test_a_failed_call_is_no_reply(server: Running) -> None:
    connection = Connection(server.address)
    with pytest.raises(ConnectionError):
        connection.ask("NoSuchMethod", pb.RecommendRequest())
    connection.socket.close()


def test_processor_time_of_a_server_is_counted(server: Running) -> None:
    loaded(server, "Recommend", 200)
    assert server.cpu_seconds() > 0


def test_an_http_reply_is_complete_with_its_last_byte() -> None:
    wire = HttpWire()
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
    assert wire.received(head[:10]) == (None, b"")
    assert wire.received(head[10:] + b"abc") == (None, b"")
    assert wire.received(b"d") == (4, b"")
    assert wire.received(b"HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx") == (0, b"")
    assert http_request("/a", b"{}").endswith(b"Content-Length: 2\r\n\r\n{}")


def test_the_page_of_results_says_which_bars_hold() -> None:
    bar = {"id": "a.b", "bar": "what", "must": 2, "aim": 4, "measured": 3, "better": "higher"}
    bars = [bar, bar | {"id": "c.d", "better": "lower"}, bar | {"id": "e.f", "must": 3.5}]
    page = render(f"before\n{BEGIN}old\n{END}after\n", {"name": {"bars": bars}, "empty": {}})
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page
    assert "| a.b | what | ≥ 2 | ≥ 4 | 3 | must |" in page
    assert "| c.d | what | ≤ 2 | ≤ 4 | 3 | aim |" in page
    assert "| e.f | what | ≥ 3.5 | ≥ 4 | 3 | missed |" in page


def test_the_accuracy_of_methods_stands_side_by_side() -> None:
    rmse = {"table": "RMSE, 5 folds", "rmse": 0.9}
    lists = {"table": "held-out-users", "ndcg@10": 0.4, "liked_ndcg@10": 0.3}
    rows = [
        rmse | {"data": "a", "method": "other"},
        rmse | {"data": "b", "method": "other", "rmse": 0.8},
        rmse | {"data": "a", "method": "foldin"},
        lists | {"data": "a", "method": "EASE"},
        lists | {"data": "a", "method": "foldin, ials", "table": "ranking heads"},
        {"data": "a", "table": "limits"},
    ]
    page = accuracy_tables({"rows": rows})
    assert (
        "| | a | b |\n|--|--|--|\n| other | 0.9000 | 0.8000 |\n| **foldin** | 0.9000 |  |" in page
    )
    assert "| EASE | 0.4000 / 0.3000 |" in page
    assert "| foldin, ials | 0.4000 / 0.3000 |" in page
