"""A call's request id: taken or made, in its log line, and in what its caller gets back."""

import logging
import subprocess
import sys
from typing import Any

import grpc
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_server.admission.call import Call
from foldin_server.admission.request_ids import RequestIds, request_id
from foldin_server.process.stores import Stores
from hypothesis import given
from hypothesis import strategies as st
from planted import Planted
from server.faults import Gate
from server.live import Live, hold_places, live, publish_version

KEY = "x-request-id"
RECOMMEND = "/foldin.v1.RecommendationService/Recommend"
GOOD = ["a", "req-42", "!~", "x" * 128]
BAD = ["", "two words", "x" * 129, " ", "tab\t"]
REQUESTS = {
    "a plain list": pb.RecommendRequest(user_id="1"),
    "the same list again": pb.RecommendRequest(user_id="1"),
    "an explained list": pb.RecommendRequest(user_id="1", include_explanations=True),
}


def trailing_id(metadata: Any) -> str | None:
    return dict(metadata or ()).get(KEY)


async def id_of_success(app: Live, request: bytes, *metadata: tuple[str, str]) -> str | None:
    """Calls Recommend, which succeeds. Returns the id in the trailing metadata."""
    channel: Any = app.channel
    call = channel.unary_unary(RECOMMEND)(request, metadata=metadata)
    assert await call
    return trailing_id(await call.trailing_metadata())


async def id_of_failure(app: Live, path: str, request: bytes, *metadata: tuple[str, str]) -> str:
    channel: Any = app.channel
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(path)(request, metadata=metadata)
    return trailing_id(raised.value.trailing_metadata()) or ""


@pytest.mark.parametrize("own", GOOD)
async def test_the_callers_own_id_comes_back(app: Live, own: str) -> None:
    for request in REQUESTS.values():
        assert await id_of_success(app, request.SerializeToString(), (KEY, own)) == own


async def test_no_id_comes_back_where_none_was_sent(app: Live) -> None:
    for request in REQUESTS.values():
        assert await id_of_success(app, request.SerializeToString()) is None


async def test_an_id_that_is_none_is_ignored(app: Live) -> None:
    for other in ("two words", "x" * 129):
        sent = pb.RecommendRequest(user_id="1").SerializeToString()
        assert await id_of_success(app, sent, (KEY, other)) is None


async def test_every_failure_names_its_call(app: Live) -> None:
    health = "/grpc.health.v1.Health/Check"
    unknown = b"\x0a\x07nothing"
    for path, request in ((RECOMMEND, b""), (RECOMMEND, b"\xff"), (health, unknown)):
        assert await id_of_failure(app, path, request, (KEY, "mine")) == "mine"
        made = {await id_of_failure(app, path, request) for _ in range(3)}
        assert len(made) == 3
        assert all(len(one) > 12 for one in made)


async def test_a_call_that_a_full_server_refuses_has_its_id(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    async with live(stores, max_in_flight=1) as app, hold_places(app, ratings, 1):
        assert await id_of_failure(app, RECOMMEND, b"\x0a\x011", (KEY, "mine")) == "mine"
        assert await id_of_failure(app, RECOMMEND, b"\x0a\x011")


@pytest.mark.parametrize("transport", [("native", "on")], indirect=True, ids=["native"])
async def test_a_request_that_is_too_large_has_its_id_on_the_native_transport(
    stores: Stores,
) -> None:
    async with live(stores, max_message_bytes=100) as app:
        assert await id_of_failure(app, RECOMMEND, bytes(101), (KEY, "mine")) == "mine"


async def test_the_log_line_has_the_id(
    small: Planted, stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    publish_version(small, stores.models)
    async with live(stores, log_calls=True) as app:
        sent = pb.RecommendRequest(user_id="1").SerializeToString()
        await id_of_success(app, sent, (KEY, "mine"))
        await id_of_success(app, sent)
        failed = await id_of_failure(app, RECOMMEND, b"")
    lines = [vars(record) for record in caplog.records if record.message == "rpc"]
    ids = [line["request_id"] for line in lines]
    assert ids[0] == "mine"
    assert ids[2] == failed
    assert len(set(ids)) == 3
    assert all(ids)


@given(value=st.text(max_size=140) | st.sampled_from([*GOOD, *BAD]))
def test_an_id_is_visible_ascii_of_at_most_128_characters(value: str) -> None:
    valid = 0 < len(value) <= 128 and all("!" <= letter <= "~" for letter in value)
    call = Call("Recommend", metadata=(("x-request-id-bin", b"a"), (KEY, value)))
    RequestIds().arrive(call)
    assert call.request_id_sent == valid
    assert (request_id(call) == value) == valid


def test_a_made_id_stays_that_of_its_call() -> None:
    calls = [Call("Recommend") for _ in range(2)]
    first, second = map(request_id, calls)
    assert first != second
    assert [request_id(call) for call in calls] == [first, second]


def test_ids_of_two_processes_differ() -> None:
    program = (
        "from foldin_server.admission.call import Call\n"
        "from foldin_server.admission.request_ids import request_id\n"
        "print(request_id(Call('Recommend')))"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(shown) == 2
