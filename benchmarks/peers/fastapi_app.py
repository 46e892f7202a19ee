"""A peer: FastAPI and uvicorn, JSON over HTTP/1.1, a FAISS index and the users in memory.

It folds nothing, checks nothing, filters nothing and stores nothing.
Run as `python -m benchmarks.peers.fastapi_app ADDRESS DATA.npz WORKERS`.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import faiss
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

DATA = "BENCH_PEER_DATA"


class Request(BaseModel):
    user_id: str
    page_size: int = 10


class Item(BaseModel):
    item_id: str
    title: str
    score: float


class Response(BaseModel):
    items: list[Item]


class Catalog:
    """The items and the users of a file."""

    def __init__(self, data: Any) -> None:
        self._ids = data["item_ids"].tolist()
        self._titles = data["titles"].tolist()
        self._queries = dict(zip(data["user_ids"].tolist(), data["queries"], strict=True))
        self._index = faiss.IndexFlatIP(data["items"].shape[1])
        self._index.add(data["items"])

    def best(self, user_id: str, count: int) -> list[Item]:
        """Returns the best items by inner product."""
        scores, rows = self._index.search(self._queries[user_id][None], count)
        return [
            Item(item_id=self._ids[row], title=self._titles[row], score=score)
            for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True)
        ]


def app() -> FastAPI:
    """Returns the application of one worker."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        print("ready", flush=True)
        yield

    faiss.omp_set_num_threads(1)
    catalog = Catalog(np.load(os.environ[DATA]))
    made = FastAPI(lifespan=lifespan)

    @made.post("/recommend")
    async def recommend(request: Request) -> Response:
        return Response(items=catalog.best(request.user_id, request.page_size))

    return made


def main(address: str, data: str, workers: str) -> None:
    """Serves until it is killed; each worker prints one line when it is ready."""
    os.environ[DATA] = data
    host, _, port = address.rpartition(":")
    uvicorn.run(
        "benchmarks.peers.fastapi_app:app",
        factory=True,
        host=host,
        port=int(port),
        workers=int(workers),
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
