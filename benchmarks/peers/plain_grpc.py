"""A peer in its simplest form: threaded gRPC, a FAISS index and the users in memory.

It folds nothing, checks nothing, filters nothing and stores nothing.
Run as `python -m benchmarks.peers.plain_grpc ADDRESS DATA.npz`.
"""

# ruff: noqa: N802 (the name is that of the contract)

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faiss
import grpc
import numpy as np
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import (
    RecommendationServiceServicer,
    add_RecommendationServiceServicer_to_server,
)

THREADS = 10


class Recommendations(RecommendationServiceServicer):
    """The service with Recommend only."""

    def __init__(self, data: Any) -> None:
        self._ids = data["item_ids"].tolist()
        self._titles = data["titles"].tolist()
        self._queries = dict(zip(data["user_ids"].tolist(), data["queries"], strict=True))
        self._index = faiss.IndexFlatIP(data["items"].shape[1])
        self._index.add(data["items"])

    def Recommend(self, request: pb.RecommendRequest, _context: Any) -> pb.RecommendResponse:
        """Returns the best items by inner product."""
        query = self._queries[request.user_id]
        scores, rows = self._index.search(query[None], request.page_size)
        response = pb.RecommendResponse()
        for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True):
            response.items.add(item_id=self._ids[row], title=self._titles[row], score=score)
        return response


def main(address: str, data: str) -> None:
    """Serves until it is killed; prints one line when it is ready."""
    faiss.omp_set_num_threads(1)
    server = grpc.server(ThreadPoolExecutor(THREADS))
    recommendations: Any = Recommendations(np.load(data))  # type: ignore[abstract]
    add_RecommendationServiceServicer_to_server(recommendations, server)
    server.add_insecure_port(address)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
