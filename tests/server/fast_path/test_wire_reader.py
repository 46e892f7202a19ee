"""The reader gives what protobuf gives for plain requests, and None for others."""

import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.errors import InvalidField
from foldin_model.scale import Scale
from foldin_server.fast_path.wire_reader import plain_arguments
from foldin_server.requests.parser import recommend_arguments
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

SCALE = Scale(0.5, 5.0)
SIZES = st.sampled_from([0, 1, 10, 127, 128, 200, 201, 2**31 - 1, -1])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Bytes of plain requests, of others, of two in a row, and of those with a byte too few."""
    message = pb.RecommendRequest(user_id=draw(st.text(max_size=140)), page_size=draw(SIZES))
    if draw(st.booleans()):
        message.require_known_user = draw(st.booleans())
        message.min_user_revision = draw(st.sampled_from([0, 3]))
        message.page_token = draw(st.sampled_from(["", "token"]))
    packed = message.SerializeToString()
    more = draw(
        st.sampled_from([b"", b"\x0a\x00", b"\x0a\x01u", b"\x10\x80\x00", b"\x10\x05", packed])
    )
    return (packed + more)[: draw(st.sampled_from([None, -1]))]


@given(request=requests() | st.binary(max_size=8))
@example(b"\x0a\x02\xff\xfe")
@example(b"\x0a\x05ab")
def test_plain_requests_are_read_as_protobuf_reads_them(request: bytes) -> None:
    plain = plain_arguments(request)
    if plain is not None:
        message = pb.RecommendRequest.FromString(request)
        assert plain == recommend_arguments(message, SCALE)


@given(user_id=st.text(min_size=1, max_size=31), size=st.integers(0, 127))
def test_a_plain_request_is_read_or_refused_by_both(user_id: str, size: int) -> None:
    request = pb.RecommendRequest(user_id=user_id, page_size=size).SerializeToString()
    if plain_arguments(request) is None:
        assert not user_id.isprintable()


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\x0a\x00",
        pb.RecommendRequest(user_id="a\nb").SerializeToString(),
        pb.RecommendRequest(user_id="a", page_size=-1).SerializeToString(),
        b"\x0a\x02\xff\xfe",
    ],
)
def test_invalid_requests_are_left_to_the_general_parser(request_: bytes) -> None:
    assert plain_arguments(request_) is None
    with pytest.raises((InvalidField, DecodeError)):
        recommend_arguments(pb.RecommendRequest.FromString(request_), SCALE)
