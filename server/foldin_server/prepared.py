"""Answers of Recommend as bytes, put together from parts that were encoded once for each item.

The bytes are those of `foldin_server.rendering`; explained answers are rendered there.
"""

import struct
from functools import lru_cache
from typing import Final

import numpy as np
from foldin.v1 import ratings_pb2, recommendation_pb2
from foldin_model.snapshot import Snapshot

from foldin_server import rendering
from foldin_server.ranking import Recommendation

KEPT_ITEMS: Final = 65_536
_NUMBERS: Final = struct.Struct("<BfBf")  # tag and value of score and of predicted_rating
_SCORE: Final = 2 << 3 | 5
_PREDICTED: Final = 3 << 3 | 5
_PLACEHOLDER: Final = _NUMBERS.pack(_SCORE, 1.0, _PREDICTED, 1.0)


class PreparedAnswers:
    """Answers from whichever snapshot; the items of the last one are kept."""

    def __init__(self) -> None:
        self._items: PreparedItems | None = None

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """An answer as it travels."""
        if answer.explanations is not None:
            return rendering.recommendation(answer, page_key).SerializeToString()
        if self._items is None or self._items.snapshot is not answer.snapshot:
            self._items = PreparedItems(answer.snapshot)
        return self._items.response(answer, page_key)


class PreparedItems:
    """The items of one snapshot, encoded when they are first shown."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._parts = lru_cache(KEPT_ITEMS)(self._encoded)

    def response(self, answer: Recommendation, page_key: bytes) -> bytes:
        """An answer without explanations as it travels."""
        source = rendering.source_of(answer.user)
        scores = answer.hits.scores.astype(np.float32).tolist()
        predictions = answer.predictions.astype(np.float32).tolist()
        pieces: list[bytes] = []
        for row, score, predicted in zip(
            answer.hits.rows.tolist(), scores, predictions, strict=True
        ):
            head, tail = self._parts(row, source)
            pieces += (head, _NUMBERS.pack(_SCORE, score, _PREDICTED, predicted), tail)
        rest = recommendation_pb2.RecommendResponse(
            next_page_token=rendering.page_token(answer.next_token, page_key),
            serving_info=rendering.user_info(
                answer.snapshot,
                answer.user,
                degraded=answer.degraded,
                freshness=answer.freshness,
            ),
        )
        return b"".join((*pieces, rest.SerializeToString()))

    def _encoded(self, row: int, source: "ratings_pb2.Source") -> tuple[bytes, bytes]:
        """What stands in an answer before the numbers of an item, and after them."""
        item = rendering.scored_item(self.snapshot.model.catalog, row, 1.0, source)
        item.predicted_rating = 1.0
        whole = recommendation_pb2.RecommendResponse(items=[item]).SerializeToString()
        named = ratings_pb2.ScoredItem(item_id=item.item_id).SerializeToString()
        start = len(whole) - item.ByteSize() + len(named)
        head, numbers, tail = (
            whole[:start],
            whole[start : start + _NUMBERS.size],
            whole[start + _NUMBERS.size :],
        )
        if numbers != _PLACEHOLDER:
            raise RuntimeError("protobuf no longer writes fields in the order of their numbers")
        return head, tail
