"""BatchRecommend, put before the general way: its entries are answered as the bytes they are.

No entry is packed again, no answer is parsed, and plain entries are read without protobuf. A
request with other fields, or with too many entries, takes the general way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from foldin.v1 import recommendation_pb2 as pb
from google.rpc.status_pb2 import Status

from foldin_server.admission.batch_entry import entry_result
from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.admission.method import Begin, Reply, Work
from foldin_server.api.recommendation_service import MAX_BATCH_RECOMMEND
from foldin_server.fast_path.fast_recommend import FastRecommend
from foldin_server.fast_path.wire_reader import plain_arguments
from foldin_server.requests import parser
from foldin_server.requests.arguments import RecommendArguments
from foldin_server.versions.snapshots import Snapshots

_LENGTH: Final = 2  # the wire type of what has a length
_REQUESTS: Final = pb.BatchRecommendRequest.DESCRIPTOR.fields_by_name["requests"].number
_RESULTS: Final = pb.BatchRecommendResponse.DESCRIPTOR.fields_by_name["results"].number
_RESULT: Final = pb.BatchRecommendResponse.Result.DESCRIPTOR.fields_by_name
_ENTRY_TAG: Final = _REQUESTS << 3 | _LENGTH
Entry = tuple[bytes, RecommendArguments | pb.RecommendRequest]
"""The bytes of an entry, and what was read from them: arguments if plain, else the message."""


class FastBatch:
    """The fast path of BatchRecommend; `general` answers what it does not."""

    def __init__(
        self, general: Begin, door: Door, snapshots: Snapshots, recommend: FastRecommend
    ) -> None:
        self._general = general
        self._door = door
        self._snapshots = snapshots
        self._recommend = recommend

    def begin(self, request: bytes, call: Call, reply: Reply) -> Work | None:
        """Begins a call: see `foldin_server.admission.method.Begin`."""
        split = split_entries(request)
        if split is None or not self._snapshots.ready:
            return self._general(request, call, reply)
        entries = _read(request, split)
        self._door.weigh(call, len(entries), _users_of(entries))
        return self._answer(entries, call)

    async def _answer(self, entries: Sequence[Entry], call: Call) -> bytes:
        results = await asyncio.gather(
            *(
                entry_result(self._entry(entry, call, len(entries)), call.method)
                for entry in entries
            )
        )
        return b"".join(_field(_RESULTS, _packed(result)) for result in results)

    async def _entry(self, entry: Entry, call: Call, together: int) -> bytes:
        """Returns the response to one entry, with a Call of its own, which is not logged."""
        request, read = entry
        if isinstance(read, pb.RecommendRequest):
            read = parser.recommend_arguments(read, self._snapshots.serving().model.scale)
        own = Call(call.method, call.deadline)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        work = self._recommend.entry(request, read, own, reply, together)
        return await (reply if work is None else work)


def split_entries(request: bytes) -> list[bytes] | None:
    """Returns the bytes of each entry of a BatchRecommendRequest.

    Returns None if it has other fields, or more entries than are allowed.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(request):
        if request[at] != _ENTRY_TAG or len(entries) == MAX_BATCH_RECOMMEND:
            return None
        length, at = _varint_at(request, at + 1)
        if length is None or at + length > len(request):
            return None
        entries.append(request[at : at + length])
        at += length
    return entries


def _varint_at(request: bytes, at: int) -> tuple[int | None, int]:
    """Returns the number written from `at` on, None if it is cut or long, and where it ends."""
    number = 0
    for place in range(4):  # a request has less than 2^28 bytes
        if at + place >= len(request):
            break
        number |= (request[at + place] & 0x7F) << 7 * place
        if request[at + place] < 0x80:
            return number, at + place + 1
    return None, at


def _read(request: bytes, split: Sequence[bytes]) -> list[Entry]:
    """Reads entries without protobuf where all of them are plain."""
    plain = [arguments for each in split if (arguments := plain_arguments(each)) is not None]
    if len(plain) == len(split):
        return list(zip(split, plain, strict=True))
    messages = pb.BatchRecommendRequest.FromString(request).requests
    return list(zip(split, messages, strict=True))


def _users_of(entries: Sequence[Entry]) -> list[str]:
    users = (
        read.user_id if isinstance(read, pb.RecommendRequest) else read.user.user_id
        for _, read in entries
    )
    return [user for user in users if user]


def _packed(result: bytes | Status) -> bytes:
    """Returns a BatchRecommendResponse.Result as protobuf packs it."""
    if isinstance(result, Status):
        return _field(_RESULT["error"].number, result.SerializeToString())
    return _field(_RESULT["response"].number, result)


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | _LENGTH, *_varint(len(content)))) + content


def _varint(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number
