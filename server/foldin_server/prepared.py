"""Answers of Recommend as bytes, put together from parts that were encoded once for each item.

The bytes are those of `foldin_server.rendering`; explained answers are rendered there.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

import grpc
import numpy as np
from foldin.v1 import ratings_pb2, recommendation_pb2
from foldin_model.snapshot import Snapshot
from grpc import aio

from foldin_server import rendering
from foldin_server.ranking import Recommendation

KEPT_ITEMS: Final = 65_536
_NUMBERS: Final = struct.Struct("<BfBf")  # tag and value of score and of predicted_rating
_SCORE: Final = 2 << 3 | 5
_PREDICTED: Final = 3 << 3 | 5
_PLACEHOLDER: Final = _NUMBERS.pack(_SCORE, 1.0, _PREDICTED, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Arrived:
    """A request with the bytes that it came as."""

    raw: bytes
    message: recommendation_pb2.RecommendRequest

    @classmethod
    def decoded(cls, raw: bytes) -> Self:
        """The request in these bytes."""
        return cls(raw, recommendation_pb2.RecommendRequest.FromString(raw))


def encoded(response: "bytes | recommendation_pb2.RecommendResponse") -> bytes:
    """A response as it travels, whether it is put together already or not."""
    return response if isinstance(response, bytes) else response.SerializeToString()


def add_prepared_recommend(servicer: Any, server: aio.Server) -> None:
    """From now on `servicer` gets Arrived requests of Recommend and may answer bytes."""
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.Recommend, request_deserializer=Arrived.decoded, response_serializer=encoded
    )
    service = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
    server.add_registered_method_handlers(service.full_name, {"Recommend": handler})


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
                answer.snapshot, answer.user, degraded=answer.degraded
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
