"""Answers of Recommend as bytes, put together from parts that were encoded once for each item.

The bytes are those of `foldin_server.rendering`; explained answers are rendered there.
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
from foldin.v1 import ratings_pb2, recommendation_pb2
from foldin_model.arrays import Floats, Integers, Rows
from foldin_model.catalog import Catalog
from foldin_model.snapshot import Snapshot
from foldin_model.users import FoldedUser, Personalization
from numpy.typing import NDArray

from foldin_server import rendering, reply_kernels
from foldin_server.plain import PlainPages
from foldin_server.ranking import Recommendation
from foldin_server.users import Freshness, UserView

_NUMBERS: Final = np.dtype(
    [("score_tag", "u1"), ("score", "<f4"), ("predicted_tag", "u1"), ("predicted", "<f4")]
)
_SCORE: Final = 2 << 3 | 5
_PREDICTED: Final = 3 << 3 | 5
_PLACEHOLDER: Final = struct.pack("<BfBf", _SCORE, 1.0, _PREDICTED, 1.0)
_SOURCES: Final = (ratings_pb2.SOURCE_COLLABORATIVE, ratings_pb2.SOURCE_POPULAR)
_RESPONSE: Final = recommendation_pb2.RecommendResponse.DESCRIPTOR.fields_by_name
_INFO: Final = ratings_pb2.ServingInfo.DESCRIPTOR.fields_by_name
_TAGS: Final = (
    _RESPONSE["next_page_token"].number << 3 | 2,
    _RESPONSE["serving_info"].number << 3 | 2,
    _INFO["rating_count"].number << 3,
    _INFO["user_revision"].number << 3,
)
_ROOM: Final = 1 << 12


class PreparedAnswers:
    """Answers from whichever snapshot; the items of the last one are kept."""

    def __init__(self) -> None:
        self._items: PreparedItems | None = None

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """An answer as it travels."""
        if answer.explanations is not None:
            return rendering.recommendation(answer, page_key).SerializeToString()
        return self.items(answer.snapshot).response(answer, page_key)

    def items(self, snapshot: Snapshot) -> "PreparedItems":
        """The items of the snapshot."""
        if self._items is None or self._items.snapshot is not snapshot:
            self._items = PreparedItems(snapshot)
        return self._items


class PreparedItems:
    """The items of one snapshot, encoded when they are first shown."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._parts = _Parts(snapshot.model.catalog)
        self._infos = _Infos(snapshot)

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """An answer without explanations as it travels."""
        hits, token = answer.hits, answer.next_token
        signed = b"" if token is None else token.signed(page_key)
        page = PlainPages(
            users=[answer.user],
            rows=hits.rows,
            scores=hits.scores.astype(np.float32),
            predictions=answer.predictions.astype(np.float32),
            ends=np.array([len(hits)]),
            tokens=np.array([-1 if token is None else 0]),
            signed=np.frombuffer(signed, np.uint8)[None, :],
        )
        (response,) = self._replies(page, [(answer.freshness, answer.degraded)])
        return response

    def responses(self, pages: PlainPages, views: Sequence[UserView]) -> list[bytes]:
        """Plain pages as they travel, made from those views of their users."""
        return self._replies(pages, [(view.freshness, view.degraded) for view in views])

    def _replies(self, pages: PlainPages, read: Sequence[tuple[Freshness, bool]]) -> list[bytes]:
        """Replies to users whose states were `read` with that freshness, degraded or not."""
        users = pages.users
        listed = [self._infos.kind(user, how) for user, how in zip(users, read, strict=True)]
        kinds = np.array(listed, np.int64)
        sources = self._infos.sources[kinds]
        self._parts.encode(sources.repeat(np.diff(pages.ends, prepend=0)), pages.rows)
        replies, ends = reply_kernels.replies(
            pages.rows,
            _packed(pages.scores, pages.predictions),
            pages.ends,
            sources,
            self._parts.letters,
            self._parts.slots,
            self._parts.places,
            pages.tokens,
            pages.signed,
            kinds,
            self._infos.letters,
            self._infos.cuts,
            np.array([user.rating_count for user in users], np.int64),
            np.array([user.revision for user in users], np.int64),
            _TAGS,
        )
        whole, stops = replies.tobytes(), ends.tolist()
        return [whole[start:end] for start, end in zip([0, *stops], stops, strict=False)]


class _Parts:
    """What stands in an answer before the numbers of an item, and after them.

    For an item from the s-th of _SOURCES at row i that is `letters[a:b]` and `letters[b:c]`, with
    a, b, c = `places[slots[s, i]]`. Before it is encoded the slot is 0, which is nobody's.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._filled = 1
        self.slots = np.zeros((len(_SOURCES), len(catalog)), np.int32)
        self.places = np.zeros((_ROOM, 3), np.int64)
        self.letters = np.empty(_ROOM, np.uint8)

    def encode(self, sources: Integers, rows: Rows) -> None:
        """Encodes those of (n,) items that are not yet."""
        if self.slots[sources, rows].all():
            return
        for source, row in {*zip(sources.tolist(), rows.tolist(), strict=True)}:
            if not self.slots[source, row]:
                self._add(source, row)

    def _add(self, source: int, row: int) -> None:
        item = rendering.scored_item(self._catalog, row, 1.0, _SOURCES[source])
        item.predicted_rating = 1.0
        whole = recommendation_pb2.RecommendResponse(items=[item]).SerializeToString()
        named = ratings_pb2.ScoredItem(item_id=item.item_id).SerializeToString()
        cut = len(whole) - item.ByteSize() + len(named)
        head, tail = whole[:cut], _behind(_PLACEHOLDER, whole[cut:])
        slot, start = self._filled, int(self.places[self._filled - 1, 2])
        end = start + len(head) + len(tail)
        if slot == len(self.places):
            self.places = np.concatenate((self.places, np.zeros_like(self.places)))
        if end > len(self.letters):
            self.letters = np.concatenate((self.letters, np.empty(end, np.uint8)))
        self.letters[start:end] = np.frombuffer(head + tail, np.uint8)
        self.places[slot] = start, start + len(head), end
        self.slots[source, row] = slot
        self._filled = slot + 1


class _Infos:
    """ServingInfo of each kind that has been asked for, without the numbers of a user.

    That of the i-th kind is `letters[i]` as far as `cuts[i, 1]`; the numbers belong at `cuts[i,
    0]`. Its items come from the `sources[i]`-th of _SOURCES.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._kinds: dict[tuple[Personalization, Freshness, bool], int] = {}
        self._encoded: list[tuple[bytes, bytes]] = []
        self.letters: NDArray[np.uint8]
        self.cuts: Integers
        self.sources = np.zeros(0, np.int64)

    def kind(self, user: FoldedUser, read: tuple[Freshness, bool]) -> int:
        """The number of the kind for a user whose state was `read` like that, degraded or not."""
        freshness, degraded = read
        key = (user.personalization, freshness, degraded)
        kind = self._kinds.get(key)
        if kind is None:
            info = rendering.user_info(
                self._snapshot,
                user._replace(rating_count=1, revision=1),
                degraded=degraded,
                freshness=freshness,
            )
            self._add(info)
            source = _SOURCES.index(rendering.source_of(user))
            self.sources = np.append(self.sources, source)
            kind = self._kinds[key] = len(self._encoded) - 1
        return kind

    def _add(self, info: ratings_pb2.ServingInfo) -> None:
        first = ratings_pb2.ServingInfo(
            model_version=info.model_version, personalization=info.personalization
        ).SerializeToString()
        *_, count_tag, revision_tag = _TAGS
        numbers = bytes((count_tag, 1, revision_tag, 1))
        rest = _behind(numbers, info.SerializeToString()[len(first) :])
        self._encoded.append((first, rest))
        encoded = [first + rest for first, rest in self._encoded]
        longest = max(map(len, encoded))
        padded = b"".join(one.ljust(longest, b"\0") for one in encoded)
        self.letters = np.frombuffer(padded, np.uint8).reshape(len(encoded), longest)
        self.cuts = np.array([(len(first), len(first + rest)) for first, rest in self._encoded])


def _behind(beginning: bytes, encoded: bytes) -> bytes:
    """What follows the beginning, which is there if fields are in their order."""
    if not encoded.startswith(beginning):
        raise RuntimeError("protobuf no longer writes fields in the order of their numbers")
    return encoded[len(beginning) :]


def _packed(scores: Floats, predictions: Floats) -> NDArray[np.uint8]:
    """(n, bytes): what stands between the parts of each of (n,) items."""
    numbers = np.empty(len(scores), _NUMBERS)
    numbers["score_tag"], numbers["predicted_tag"] = _SCORE, _PREDICTED
    numbers["score"], numbers["predicted"] = scores, predictions
    return numbers.view(np.uint8).reshape(len(scores), _NUMBERS.itemsize)
