"""Answers of Recommend as bytes, put together from parts that were encoded once for each item.

The bytes are those of `foldin_server.rendering`; explained answers are rendered there.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from foldin.v1 import ratings_pb2, recommendation_pb2
from foldin_model.arrays import Floats
from foldin_model.catalog import Catalog
from foldin_model.snapshot import Snapshot
from foldin_model.users import FoldedUser

from foldin_server import rendering
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
_FIELDS: Final = recommendation_pb2.RecommendResponse.DESCRIPTOR.fields_by_name
_TOKEN: Final = _FIELDS["next_page_token"].number << 3 | 2
_INFO: Final = _FIELDS["serving_info"].number << 3 | 2


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
        self._parts = {source: _Parts(snapshot.model.catalog, source) for source in _SOURCES}
        self._infos: dict[tuple[object, ...], ratings_pb2.ServingInfo] = {}

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """An answer without explanations as it travels."""
        hits = answer.hits
        numbers = _packed(hits.scores.astype(np.float32), answer.predictions.astype(np.float32))
        token = rendering.page_token(answer.next_token, page_key).encode()
        info = self._info(answer.user, answer.freshness, degraded=answer.degraded)
        source = rendering.source_of(answer.user)
        return self._joined(source, hits.rows.tolist(), numbers, token, info)

    def responses(self, pages: PlainPages, views: Sequence[UserView]) -> list[bytes]:
        """Plain pages as they travel, made from those views of their users."""
        numbers = _packed(pages.scores, pages.predictions)
        responses, start = [], 0
        for user, view, token, end in zip(
            pages.users, views, pages.tokens, pages.ends, strict=True
        ):
            info = self._info(user, view.freshness, degraded=view.degraded)
            source = rendering.source_of(user)
            rows, own = pages.rows[start:end], numbers[start:end]
            responses.append(self._joined(source, rows, own, token, info))
            start = end
        return responses

    def _joined(
        self,
        source: "ratings_pb2.Source",
        rows: list[int],
        numbers: list[bytes],
        token: bytes,
        info: bytes,
    ) -> bytes:
        parts = self._parts[source]
        pieces: list[bytes] = []
        for row, own in zip(rows, numbers, strict=True):
            head, tail = parts[row]
            pieces += (head, own, tail)
        if token:
            pieces += (_head(_TOKEN, len(token)), token)
        pieces += (_head(_INFO, len(info)), info)
        return b"".join(pieces)

    def _info(self, user: FoldedUser, freshness: Freshness, *, degraded: bool) -> bytes:
        key = (user.personalization, freshness, degraded)
        info = self._infos.get(key)
        if info is None:
            info = self._infos[key] = rendering.user_info(
                self.snapshot, user, degraded=degraded, freshness=freshness
            )
        info.rating_count = user.rating_count
        info.user_revision = user.revision
        return info.SerializeToString()


class _Parts(dict[int, tuple[bytes, bytes]]):
    """What stands in an answer before the numbers of an item, and after them, by row."""

    def __init__(self, catalog: Catalog, source: "ratings_pb2.Source") -> None:
        super().__init__()
        self._catalog = catalog
        self._source = source

    def __missing__(self, row: int) -> tuple[bytes, bytes]:
        item = rendering.scored_item(self._catalog, row, 1.0, self._source)
        item.predicted_rating = 1.0
        whole = recommendation_pb2.RecommendResponse(items=[item]).SerializeToString()
        named = ratings_pb2.ScoredItem(item_id=item.item_id).SerializeToString()
        start = len(whole) - item.ByteSize() + len(named)
        head, numbers, tail = (
            whole[:start],
            whole[start : start + _NUMBERS.itemsize],
            whole[start + _NUMBERS.itemsize :],
        )
        if numbers != _PLACEHOLDER:
            raise RuntimeError("protobuf no longer writes fields in the order of their numbers")
        self[row] = head, tail
        return head, tail


def _packed(scores: Floats, predictions: Floats) -> list[bytes]:
    """What stands between the parts of each of (n,) items."""
    numbers = np.empty(len(scores), _NUMBERS)
    numbers["score_tag"], numbers["predicted_tag"] = _SCORE, _PREDICTED
    numbers["score"], numbers["predicted"] = scores, predictions
    whole: list[bytes] = numbers.view(f"V{_NUMBERS.itemsize}").tolist()
    return whole


@lru_cache
def _head(tag: int, size: int) -> bytes:
    """What stands before a field of that many bytes: its tag, and the size in sevens of bits."""
    head = [tag]
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*head, size))
