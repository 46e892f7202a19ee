"""A status fits in the trailers that callers take, whatever a request was filled with."""

import random
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from foldin.v1 import catalog_pb2, ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.errors import ArtifactCorrupt, FoldinError, InvalidField, ItemNotFound
from foldin_model.ids import ItemId
from foldin_model.scale import Scale
from foldin_server.admission.statuses import status_of
from foldin_server.quotation import abridged, quoted
from foldin_server.requests import parser, write_parser
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status.rpc_status import to_status
from hypothesis import given
from hypothesis import strategies as st
from server.live import Live, code_of, failure
from server.new_items import show, upsert

SCALE = Scale(0.5, 5.0)
MOST_BYTES = 7 * 1_024  # of 8 KiB, beyond which callers drop a status
ALPHABETS = ("y", "é", "\xad", "\u200b", "漢", "🎬", "\U000e0001", "\n", "'\"\\", "%")

letters = st.characters(exclude_categories=["Cs"])
junk = st.one_of(
    st.text(letters, max_size=300),
    st.builds(str.__mul__, st.sampled_from(ALPHABETS), st.integers(0, 3_000)),
)
times = st.builds(Timestamp, seconds=st.integers(-(2**63), 2**63 - 1), nanos=st.integers(-9, 9))


def trailer_bytes(error: FoldinError) -> int:
    """What the status of an error takes in trailers, its message percent-encoded."""
    status = to_status(status_of(error))
    return len(quote(status.details, safe=" ")) + sum(
        len(b64encode(value)) for _, value in status.trailing_metadata if isinstance(value, bytes)
    )


def refused(parse: Callable[[], object]) -> int:
    """What the refusal of a request takes; 0 where it is taken."""
    try:
        parse()
    except InvalidField as error:
        return trailer_bytes(error)
    return 0


@given(st.lists(st.tuples(junk, junk), min_size=1, max_size=30), st.integers(1, 30))
def test_new_items_of_junk_are_refused_in_short(made: list[tuple[str, str]], times: int) -> None:
    items = [catalog_pb2.NewItem(item_id=id_, title=title, tags=[id_]) for id_, title in made]
    request = catalog_pb2.UpsertItemsRequest(items=items * times)
    assert refused(lambda: write_parser.upsert_arguments(request, 0)) < MOST_BYTES


@given(st.lists(st.tuples(junk, times, st.floats()), max_size=30), junk)
def test_a_profile_of_junk_is_refused_in_short(
    made: list[tuple[str, Timestamp, float]], user: str
) -> None:
    ratings = [ratings_pb2.Rating(item_id=id_, event_time=t, value=v) for id_, t, v in made]
    request = pb.RecommendRequest(user_id=user, profile=pb.Profile(ratings=ratings))
    assert refused(lambda: parser.recommend_arguments(request, SCALE)) < MOST_BYTES


@given(junk, junk.filter(lambda name: len(name.encode()) <= 256))
def test_an_error_of_any_length_is_told_in_short(message: str, name: str) -> None:
    assert trailer_bytes(ArtifactCorrupt(message)) < MOST_BYTES
    assert trailer_bytes(ItemNotFound(ItemId(name), message)) < MOST_BYTES


@given(st.text(letters), st.integers(3, 60))
def test_an_abridged_text_is_the_beginning_of_the_text(text: str, most: int) -> None:
    short = abridged(text, most)
    assert len(short.encode()) <= most
    assert short == text or (short[-1] == "…" and text.startswith(short[:-1]))


@given(st.text(letters))
def test_a_short_value_is_quoted_as_it_is(value: str) -> None:
    assert quoted(value) == repr(value) or len(repr(value).encode()) > len(quoted(value).encode())


def test_the_last_violation_told_counts_the_others() -> None:
    with pytest.raises(InvalidField, match=r"\[9\]: is empty; .*; and 990 more$"):
        parser.predict_arguments(
            pb.PredictRatingsRequest(user_id="1", item_ids=[""] * 1_000), SCALE
        )


LONG = [
    [catalog_pb2.NewItem(item_id="y" * 5_000, title="t")] * 3,
    [catalog_pb2.NewItem(item_id="\xad" * 127, title="t")] * 1_000,
    [catalog_pb2.NewItem(item_id="🎬" * 64, title="t")] * 20,
]
UNKNOWN = [
    ["\xad" * 127 + chr(0x100 + i) for i in range(12)],
    [chr(0x30 + i) * 256 for i in range(10)],
    [chr(0x1F300 + i) * 64 for i in range(1_000)],
]


async def refusal(call: Awaitable[object]) -> tuple[str, str]:
    failed = await failure(call)
    return failed.code, failed.reason


@pytest.mark.parametrize("items", LONG, ids=["ascii", "unprintable", "astral"])
async def test_a_refusal_of_long_ids_arrives_with_its_details(app: Live, items: list[Any]) -> None:
    assert await refusal(upsert(app, *items)) == ("INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize("item_ids", UNKNOWN, ids=["unprintable", "ascii", "astral"])
async def test_long_unknown_ids_are_told_with_details(app: Live, item_ids: list[str]) -> None:
    failed = await failure(show(app, *item_ids, available=False))
    assert (failed.code, failed.reason) == ("NOT_FOUND", "ITEM_NOT_FOUND")
    assert failed.resource == ("foldin.v1.Item", item_ids[0])


async def test_junk_is_answered_with_details_whatever_it_is(app: Live) -> None:
    chance = random.Random(0)
    for _ in range(100):
        letters = chance.sample(ALPHABETS, 3)
        made = ["".join(chance.choices(letters, k=chance.randrange(256))) for _ in range(40)]
        hidden = ratings_pb2.ItemFilter(exclude_item_ids=made)
        for call in (
            upsert(app, *(catalog_pb2.NewItem(item_id=one, title="t") for one in made * 2)),
            show(app, *made, available=False),
            app.recommend("".join(made), filter=hidden),
        ):
            code, reason = await refusal(call)
            assert (code, reason) in {
                ("INVALID_ARGUMENT", "INVALID_FIELD"),
                ("NOT_FOUND", "ITEM_NOT_FOUND"),
            }


async def test_health_of_a_service_with_a_long_name_is_not_found(app: Live) -> None:
    assert await code_of(app.health("é" * 10_000)) == "NOT_FOUND"
