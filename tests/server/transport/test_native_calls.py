"""A call of the native front holds its place from its arrival, before its work begins."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc
import pytest
from foldin_server.admission.call import Call
from foldin_server.admission.call_log import CallLog
from foldin_server.admission.door import Door
from foldin_server.admission.method import Method, Reply
from foldin_server.admission.places import Places
from foldin_server.runtime.metrics import Metrics
from foldin_server.transport.native_call import NativeCall, OpenCalls

REFUSED = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
FAILED = grpc.StatusCode.INTERNAL.value[0]


class Front:
    """What callers get, by the ids of their calls; work waits until `open` is set."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        door = Door(Places(2, self.metrics), CallLog(self.metrics, write_lines=False))
        self._method = Method("SimilarItems", self._begin)
        self._calls = OpenCalls(self, door, max_request_bytes=100, max_response_bytes=100)
        self.open = asyncio.Event()
        self.responses: dict[int, bytes] = {}
        self.failures: dict[int, int] = {}
        self.trailers: dict[int, list[str]] = {}

    def call(self, number: int, request: bytes = b"") -> NativeCall | None:
        """Begins a call that has arrived, in this turn of the loop. Returns it while it is open."""
        self._calls.begin(self._method, number, request, ((), "", None))
        return self._calls.get(number)

    def respond(self, number: int, response: bytes) -> None:
        self.responses[number] = response

    def fail(self, number: int, code: int, details: str, trailing_metadata: list[Any]) -> None:
        assert details
        self.failures[number] = code
        self.trailers[number] = [key for key, _ in trailing_metadata]

    def ended(self, code: str) -> float | None:
        """How many calls have ended so, as metrics have it."""
        told = {"method": "SimilarItems", "code": code}
        return self.metrics.registry.get_sample_value("foldin_rpc_seconds_count", told)

    @property
    def in_flight(self) -> float | None:
        return self.metrics.registry.get_sample_value("foldin_in_flight_calls")

    def _begin(self, request: bytes, _: Call, __: Reply) -> Coroutine[object, object, bytes]:
        if request == b"no message":
            raise ValueError(request)
        return self._work(request)

    async def _work(self, request: bytes) -> bytes:
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            if request != b"stubborn":
                raise
        if request in (b"bad", b"stubborn"):
            raise ValueError(request)
        return b"answer to " + request


@pytest.fixture
async def front() -> Front:
    return Front()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_calls_beyond_the_limit_are_refused_before_those_in_work_have_begun(
    front: Front,
) -> None:
    for number, request in enumerate((b"1", b"2", b"3")):
        front.call(number, request)
    assert front.failures == {2: REFUSED}
    assert front.trailers == {2: ["grpc-status-details-bin", "x-request-id"]}
    assert front.in_flight == 2
    front.open.set()
    await turns()
    assert front.responses == {0: b"answer to 1", 1: b"answer to 2"}
    assert front.in_flight == 0
    front.call(3, b"4")
    await turns()
    assert front.responses[3] == b"answer to 4"


async def test_a_call_that_is_left_before_its_work_began_frees_its_place(front: Front) -> None:
    left = front.call(0)
    assert left is not None
    left.leave()
    assert front.in_flight == 0
    front.open.set()
    await turns()
    assert (front.responses, front.failures) == ({}, {})


async def test_a_response_that_is_too_large_ends_its_call_and_is_counted_so(front: Front) -> None:
    front.open.set()
    front.call(0, bytes(100))
    await turns()
    assert (front.responses, front.failures) == ({}, {0: REFUSED})
    assert (front.ended("RESOURCE_EXHAUSTED"), front.ended("OK"), front.in_flight) == (1, None, 0)


async def test_a_failure_after_its_caller_left_is_logged(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    left = front.call(0, b"stubborn")
    assert left is not None
    await turns()
    left.leave()
    await turns()
    assert [record.message for record in caplog.records] == ["failure"]
    assert (front.responses, front.failures, front.in_flight) == ({}, {}, 0)


async def test_work_that_fails_ends_its_call_alone(front: Front) -> None:
    front.call(0, b"bad")
    front.call(1, b"good")
    front.open.set()
    await turns()
    front.call(2, b"no message")
    assert front.failures == {0: FAILED, 2: FAILED}
    assert front.responses == {1: b"answer to good"}
    assert front.in_flight == 0
