"""Reads plain Recommend requests (a user, a page size) from their bytes, without protobuf.

Most Recommends are plain. Any other request is left to `foldin_server.requests.parser`, which says
what is wrong with it.
"""

from typing import Final

from foldin.v1 import recommendation_pb2
from foldin_model.ids import UserId
from foldin_model.retrieval.filters import NO_FILTER

from foldin_server.requests.arguments import PageArguments, RecommendArguments, UserArguments
from foldin_server.requests.parser import digest
from foldin_server.requests.validation import DEFAULT_PAGE, MAX_PAGE

_NAME: Final = recommendation_pb2.RecommendRequest.DESCRIPTOR.name.encode()
_FIELDS: Final = recommendation_pb2.RecommendRequest.DESCRIPTOR.fields_by_name
_USER: Final = _FIELDS["user_id"].number << 3 | 2
_PAGE_SIZE: Final = _FIELDS["page_size"].number << 3
_ONE_BYTE: Final = range(0x80)  # numbers that are one byte on the wire
_SIZES: Final = {b"": DEFAULT_PAGE} | {
    bytes((_PAGE_SIZE, size)): min(size or DEFAULT_PAGE, MAX_PAGE) for size in _ONE_BYTE
}
"""The page size by the bytes after the user."""


def plain_arguments(request: bytes) -> RecommendArguments | None:
    """Returns the arguments of a plain RecommendRequest, None for any other bytes."""
    if len(request) < 3 or request[0] != _USER or request[1] not in _ONE_BYTE:
        return None
    end = 2 + request[1]
    size = _SIZES.get(request[end : end + 3])
    try:
        user_id = request[2:end].decode()
    except UnicodeDecodeError:
        return None
    if size is None or not user_id or len(request) < end or not user_id.isprintable():
        return None
    page = PageArguments(size, "", digest(_NAME, request[:end]))
    return RecommendArguments(UserArguments(UserId(user_id)), page, NO_FILTER)
