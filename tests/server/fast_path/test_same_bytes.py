"""The fast path and the general way answer every request with the same bytes."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from foldin.v1 import ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.ids import UserId
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.memory.ratings import MemoryRatingStore
from foldin_server.api.recommendation_service import MAX_BATCH_RECOMMEND
from foldin_server.fast_path.fast_batch import split_entries
from foldin_server.process.stores import Stores
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planted import Planted
from server.faults import Gate
from server.live import Live, import_histories, live, publish_version

SERVICE = "/foldin.v1.RecommendationService/"
USERS = ["1", "2", "3", "stranger", "é", "", "u" * 256, "u" * 257, "a\x00b"]
ITEMS = [str(101 + row) for row in range(0, 120, 7)]

filters = st.builds(
    ratings_pb2.ItemFilter,
    include_genres=st.lists(st.sampled_from(["Drama", "Comedy", "none"]), max_size=2),
    exclude_genres=st.lists(st.sampled_from(["Horror", "none"]), max_size=2),
    exclude_item_ids=st.lists(st.sampled_from(ITEMS), max_size=3),
    candidate_item_ids=st.lists(st.sampled_from([*ITEMS, "unknown"]), max_size=4),
    min_year=st.none() | st.sampled_from([1950, 1995, 2100]),
    max_year=st.none() | st.sampled_from([1960, 2000]),
    min_rating_count=st.sampled_from([0, 0, 2, -1]),
    include_rated=st.booleans(),
)
profiles = st.builds(
    pb.Profile,
    ratings=st.lists(
        st.builds(
            ratings_pb2.Rating,
            item_id=st.sampled_from([*ITEMS, "unknown"]),
            value=st.sampled_from([1.0, 4.5, 5.0, 9.0]),
        ),
        max_size=3,
    ),
)
plain = st.builds(
    pb.RecommendRequest,
    user_id=st.sampled_from(USERS),
    page_size=st.sampled_from([0, 1, 3, 10, 127, 128, 200, 201, -1]),
)
rich = st.builds(
    pb.RecommendRequest,
    user_id=st.sampled_from(USERS),
    page_size=st.sampled_from([0, 2, 7]),
    page_token=st.sampled_from(["", "", "", "forged"]),
    filter=st.none() | filters,
    profile=st.none() | profiles,
    diversity=st.none()
    | st.builds(
        pb.Diversity,
        strength=st.sampled_from([0.0, 0.4, 2.0]),
        max_per_cluster=st.sampled_from([0, 1, 2]),
    ),
    include_explanations=st.booleans(),
    max_reasons=st.sampled_from([0, 1, 3]),
    min_user_revision=st.sampled_from([0, 0, 0, 1, -1]),
    require_known_user=st.booleans(),
)
messages = plain | rich
packed = messages.map(pb.RecommendRequest.SerializeToString)
unknown_field = st.just(b"\xf8\x07\x01")  # number 127, value 1
requests = (
    packed
    | st.tuples(packed, unknown_field).map(b"".join)
    | st.tuples(packed, st.binary(max_size=4)).map(b"".join)
    | st.binary(max_size=12)
)
batches = (
    st.lists(messages, max_size=6)
    .map(lambda entries: pb.BatchRecommendRequest(requests=entries).SerializeToString())
    .flatmap(lambda batch: st.just(batch) | st.binary(max_size=4).map(batch.__add__))
)


@dataclass(frozen=True)
class Both:
    """A server with the fast path and one without, on the same stores, and the loop of both."""

    loop: asyncio.AbstractEventLoop
    fast: Live
    general: Live

    def answers(self, method: str, request: bytes) -> tuple[object, object]:
        """Returns the outcome of both servers for the same bytes."""
        return self.loop.run_until_complete(self._answers(method, request))

    async def _answers(self, method: str, request: bytes) -> tuple[object, object]:
        return await outcome(self.fast, method, request), await outcome(
            self.general, method, request
        )


async def outcome(app: Live, method: str, request: bytes) -> object:
    """The bytes of the response, or the status."""
    channel: Any = app.channel
    try:
        return await channel.unary_unary(SERVICE + method)(request)
    except grpc.aio.AioRpcError as error:
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        return error.code(), error.details(), Status.FromString(bytes(details))


@pytest.fixture(scope="module")
def both(small: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    models = MemoryModelStore()
    stores = Stores(Gate(MemoryRatingStore(models)), models, tmp_path_factory.mktemp("models"))
    with asyncio.Runner() as runner:
        servers = AsyncExitStack()
        fast, general = runner.run(started(small, stores, servers))
        yield Both(runner.get_loop(), fast, general)
        runner.run(servers.aclose())


async def started(small: Planted, stores: Stores, servers: AsyncExitStack) -> tuple[Live, Live]:
    publish_version(small, stores.models)
    await import_histories(small, stores.ratings, ["1", "2", "3"])
    fast = await servers.enter_async_context(live(stores, transport="native"))
    return fast, await servers.enter_async_context(live(stores, fast_path="off"))


@given(request=requests)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_recommend(both: Both, request: bytes) -> None:
    for _ in range(2):  # the second may be sent from the cache
        fast, general = both.answers("Recommend", request)
        assert fast == general


@given(batch=batches)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_batch_recommend(both: Both, batch: bytes) -> None:
    fast, general = both.answers("BatchRecommend", batch)
    assert fast == general


def test_batches_beyond_the_limit_and_empty_ones(both: Both) -> None:
    for count in (0, 100, 101):
        entries = [pb.RecommendRequest(user_id=str(1 + place % 4)) for place in range(count)]
        batch = pb.BatchRecommendRequest(requests=entries).SerializeToString()
        fast, general = both.answers("BatchRecommend", batch)
        assert fast == general
        assert isinstance(fast, bytes) == (count <= 100)


def test_a_batch_nested_as_deeply_as_protobuf_takes(both: Both) -> None:
    for depth in (97, 98, 99, 100, 101):
        group = b"\xfb\x07" * depth + b"\xfc\x07" * depth  # of number 127, which is unknown
        entry = b"\x0a\x011" + group
        batch = b"\x0a" + bytes((len(entry) & 0x7F | 0x80, len(entry) >> 7)) + entry
        for method, request in (("BatchRecommend", batch), ("Recommend", entry)):
            fast, general = both.answers(method, request)
            assert fast == general


def test_the_pages_of_a_list_to_its_end(both: Both) -> None:
    request = pb.RecommendRequest(user_id="1", page_size=50)
    pages = 0
    while pages == 0 or request.page_token:
        fast, general = both.answers("Recommend", request.SerializeToString())
        assert fast == general
        assert isinstance(fast, bytes)
        request.page_token = pb.RecommendResponse.FromString(fast).next_page_token
        pages += 1
    assert pages > 1


def test_answers_after_a_rating(both: Both) -> None:
    request = pb.RecommendRequest(user_id="rater", page_size=5).SerializeToString()
    for item in ITEMS[:3]:
        both.loop.run_until_complete(both.general.rate("rater", item, 5.0))
        fast, general = both.answers("Recommend", request)
        assert fast == general


@given(entries=st.lists(st.binary(max_size=300), max_size=5))
def test_a_batch_is_split_into_its_entries(entries: list[bytes]) -> None:
    requests = [pb.RecommendRequest(user_id=UserId(entry.hex())) for entry in entries]
    batch = pb.BatchRecommendRequest(requests=requests).SerializeToString()
    assert split_entries(batch) == [request.SerializeToString() for request in requests]


def test_a_batch_with_too_many_entries_is_not_split() -> None:
    assert split_entries(b"\x0a\x00" * MAX_BATCH_RECOMMEND) is not None
    assert split_entries(b"\x0a\x00" * (MAX_BATCH_RECOMMEND + 1)) is None


@given(batch=st.binary(max_size=40))
def test_bytes_that_are_more_than_entries_are_not_split(batch: bytes) -> None:
    entries = split_entries(batch)
    if entries is not None:
        parts = (bytes((0x0A, len(entry))) + entry for entry in entries)
        assert len(b"".join(parts)) <= len(batch)
