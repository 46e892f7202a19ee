"""Replies of Recommend as bytes, put together from parts that were encoded once for each item.

The bytes are those of `foldin_server.replies.renderer`, which renders explained answers.
"""

import struct
from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from foldin.v1 import ratings_pb2, recommendation_pb2
from foldin_model.arrays import Integers, Rows
from foldin_model.personal.user_vectors import popular_user
from foldin_model.records.personalization import Personalization
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.snapshot import Snapshot
from numpy.typing import NDArray

from foldin_server.fast_path import reply_kernels
from foldin_server.fast_path.plain_pages import PlainPages
from foldin_server.recommend.page import Recommendation
from foldin_server.recommend.users import Freshness
from foldin_server.replies import renderer

_SCORE: Final = 2 << 3 | 5
_PREDICTED: Final = 3 << 3 | 5
_PLACEHOLDER: Final = struct.pack("<BfBf", _SCORE, 1.0, _PREDICTED, 1.0)
_SOURCES: Final = (ratings_pb2.SOURCE_COLLABORATIVE, ratings_pb2.SOURCE_POPULAR)
_SOURCE_OF: Final = np.array(
    [0, *(_SOURCES.index(renderer.source_of(kind)) for kind in Personalization)]
)
"""Which of _SOURCES by personalization."""
_RESPONSE: Final = recommendation_pb2.RecommendResponse.DESCRIPTOR.fields_by_name
_INFO: Final = ratings_pb2.ServingInfo.DESCRIPTOR.fields_by_name
_TAGS: Final = (
    _SCORE,
    _PREDICTED,
    _RESPONSE["next_page_token"].number << 3 | 2,
    _RESPONSE["serving_info"].number << 3 | 2,
    _INFO["rating_count"].number << 3,
    _INFO["user_revision"].number << 3,
)
_ROOM: Final = 1 << 12


class PreparedReplies:
    """Replies from any snapshot; the prepared items of the last snapshot are kept."""

    def __init__(self) -> None:
        self._items: PreparedItems | None = None

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """Returns an answer without explanations as bytes."""
        return self.items(answer.snapshot).response(answer, page_key)

    def items(self, snapshot: Snapshot) -> "PreparedItems":
        """Returns the prepared items of a snapshot."""
        if self._items is None or self._items.snapshot is not snapshot:
            self._items = PreparedItems(snapshot)
        return self._items


class PreparedItems:
    """The items of one snapshot, each encoded when it is first shown."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._parts = _Parts(snapshot.model.catalog)
        self._infos = _Infos(snapshot)

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """Returns an answer without explanations as bytes."""
        user, hits, token = answer.user, answer.hits, answer.next_token
        signed = b"" if token is None else token.signed(page_key)
        page = PlainPages(
            revisions=np.array([user.revision]),
            rating_counts=np.array([user.rating_count]),
            personalizations=np.array([user.personalization], np.uint8),
            rows=hits.rows[None, :],
            scores=hits.scores[None, :].astype(np.float32),
            predictions=answer.predictions[None, :].astype(np.float32),
            counts=np.array([len(hits)]),
            goes_on=np.array([token is not None]),
            signed=np.frombuffer(signed, np.uint8)[None, :],
        )
        (response,) = self.responses(page, [answer.freshness])
        return response

    def responses(self, pages: PlainPages, freshness: Sequence[Freshness]) -> list[bytes]:
        """Returns plain pages as bytes, for users whose states have that `freshness` (m,)."""
        personalizations = pages.personalizations
        sources = _SOURCE_OF[personalizations]
        kinds = self._infos.kinds[personalizations, np.frombuffer(bytes(freshness), np.uint8)]
        replies, ends = self._replies(pages, sources, kinds)
        if not len(ends):
            self._parts.encode(sources, pages.rows, pages.counts)
            replies, ends = self._replies(pages, sources, kinds)
        whole, stops = replies.tobytes(), ends.tolist()
        return [whole[start:end] for start, end in zip([0, *stops], stops, strict=False)]

    def _replies(
        self, pages: PlainPages, sources: Integers, kinds: Integers
    ) -> tuple[NDArray[np.uint8], Integers]:
        parts, infos = self._parts, self._infos
        return reply_kernels.replies(
            np.ascontiguousarray(pages.rows),
            pages.scores.view(np.uint8),
            pages.predictions.view(np.uint8),
            pages.counts,
            sources,
            parts.letters,
            parts.slots,
            parts.places,
            pages.goes_on,
            pages.signed,
            kinds,
            infos.letters,
            infos.cuts,
            pages.rating_counts,
            pages.revisions,
            _TAGS,
        )


class _Parts:
    """The bytes of a reply before the numbers of an item, and after them.

    For an item from the s-th of _SOURCES at row i these are `letters[a:b]` and `letters[b:c]`, with
    a, b, c = `places[slots[s, i]]`. Slot 0 means that the item is not encoded yet.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._filled = 1
        self.slots = np.zeros((len(_SOURCES), len(catalog)), np.int32)
        self.places = np.zeros((_ROOM, 3), np.int64)
        self.letters = np.empty(_ROOM, np.uint8)

    def encode(self, sources: Integers, rows: Rows, counts: Integers) -> None:
        """Encodes the new items of (m,) lists: the first `counts[i]` of (m, k) `rows` each."""
        for source, listed, count in zip(sources.tolist(), rows, counts.tolist(), strict=True):
            for row in listed[:count].tolist():
                if not self.slots[source, row]:
                    self._add(source, row)

    def _add(self, source: int, row: int) -> None:
        item = renderer.scored_item(self._catalog, row, 1.0, _SOURCES[source])
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
    """ServingInfo of each kind, without the numbers of a user.

    The i-th kind is `letters[i, :cuts[i, 1]]`, and the numbers belong at `cuts[i, 0]`. `kinds`
    gives the kind by personalization and freshness.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        nobody = popular_user(snapshot)._replace(rating_count=1, revision=1)
        *_, count_tag, revision_tag = _TAGS
        numbers = bytes((count_tag, 1, revision_tag, 1))
        self.kinds = np.zeros((max(Personalization) + 1, max(Freshness) + 1), np.int64)
        encoded: list[tuple[bytes, bytes]] = []
        for personalization, freshness in product(Personalization, Freshness):
            user = nobody._replace(personalization=personalization)
            info = renderer.user_info(snapshot, user, freshness)
            first = ratings_pb2.ServingInfo(
                model_version=info.model_version, personalization=info.personalization
            ).SerializeToString()
            rest = _behind(numbers, info.SerializeToString()[len(first) :])
            self.kinds[personalization, freshness] = len(encoded)
            encoded.append((first, rest))
        whole = [first + rest for first, rest in encoded]
        longest = max(map(len, whole))
        padded = b"".join(one.ljust(longest, b"\0") for one in whole)
        self.letters = np.frombuffer(padded, np.uint8).reshape(len(whole), longest)
        self.cuts = np.array([(len(first), len(first + rest)) for first, rest in encoded])


def _behind(beginning: bytes, encoded: bytes) -> bytes:
    """Returns the bytes after `beginning`. Raises RuntimeError where fields change their order."""
    if not encoded.startswith(beginning):
        raise RuntimeError("protobuf no longer writes fields in the order of their numbers")
    return encoded[len(beginning) :]
