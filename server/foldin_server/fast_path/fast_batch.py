"""BatchRecommend, put before the general way: its entries are answered as the bytes they are.

Neither an entry nor its answer is packed or parsed on the way. A request that has more than entries
takes the general way.
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
        entries = [(each, plain_arguments(each) or _message(each)) for each in split]
        parser.checked_count("requests", len(entries), MAX_BATCH_RECOMMEND)
        self._door.weigh(call, len(entries), [_user_of(read) for _, read in entries])
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
        """Returns the response to one entry, which has a record of its own that nobody reads."""
        request, read = entry
        if isinstance(read, pb.RecommendRequest):
            read = parser.recommend_arguments(read, self._snapshots.serving().model.scale)
        own = Call(call.method, call.deadline)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        work = self._recommend.entry(request, read, own, reply, together)
        return await (reply if work is None else work)


def split_entries(request: bytes) -> list[bytes] | None:
    """Returns the bytes of each entry of a BatchRecommendRequest, None if it has other fields."""
    entries, at = [], 0
    while at < len(request):
        if request[at] != _ENTRY_TAG:
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


def _message(entry: bytes) -> pb.RecommendRequest:
    return pb.RecommendRequest.FromString(entry)


def _user_of(read: RecommendArguments | pb.RecommendRequest) -> str:
    if isinstance(read, pb.RecommendRequest):
        return read.user_id
    return read.user.user_id or ""


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
