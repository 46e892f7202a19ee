"""Whether an answer can be older than a rating that was confirmed before it was asked for.

Real clients, one server process to rate on and another to ask, many users at once.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Final

import grpc
import numpy as np
import uvloop
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub

RATINGS_A_USER: Final = 50
AT_ONCE: Final = 64
POLLERS: Final = 2
PATIENCE_S: Final = 5.0


def stale_answers(addresses: Sequence[str], items: Sequence[str], pairs: int) -> int:
    """How many of so many rate-here-recommend-there pairs were answered as if not yet rated."""
    stale: int = uvloop.run(_stale(addresses, items, pairs))
    return stale


def visible_p99_ms(addresses: Sequence[str], items: Sequence[str], pairs: int) -> float:
    """The 99th percentile of the time from a confirmed rating to an answer elsewhere with it."""
    p99_ms: float = uvloop.run(_visible(addresses, items, pairs))
    return p99_ms


async def _stale(addresses: Sequence[str], items: Sequence[str], pairs: int) -> int:
    channels = [grpc.aio.insecure_channel(address) for address in addresses]
    stubs: list[Any] = [RecommendationServiceStub(channel) for channel in channels]
    numbers = iter(range(0, pairs, RATINGS_A_USER))

    async def users() -> int:
        stale = 0
        for first in numbers:
            for pair in range(first, min(first + RATINGS_A_USER, pairs)):
                here = pair % len(stubs)
                there = (here + 1 + first % (len(stubs) - 1)) % len(stubs)
                item = items[pair % len(items)]
                revision = await _rate(stubs[here], f"stale-{first}", item)
                answer = await _recommend(stubs[there], f"stale-{first}")
                shown = any(entry.item_id == item for entry in answer.items)
                stale += shown or answer.serving_info.user_revision < revision
        return stale

    found = await asyncio.gather(*(users() for _ in range(AT_ONCE)))
    await asyncio.gather(*(channel.close() for channel in channels))
    return sum(found)


async def _visible(addresses: Sequence[str], items: Sequence[str], pairs: int) -> float:
    channels = [grpc.aio.insecure_channel(address) for address in addresses[:2]]
    here, there = (RecommendationServiceStub(channel) for channel in channels)
    numbers = iter(range(pairs))

    async def users(name: int) -> list[float]:
        taken = []
        for pair in numbers:
            user = f"visible-{name}-{pair // RATINGS_A_USER}"
            await _recommend(there, user)  # from here on it may be remembered there
            revision = await _rate(here, user, items[pair % len(items)])
            began = perf_counter()
            while (await _recommend(there, user)).serving_info.user_revision < revision:
                if perf_counter() - began > PATIENCE_S:
                    raise TimeoutError(f"a rating is not visible after {PATIENCE_S:g} s")
            taken.append(1e3 * (perf_counter() - began))
        return taken

    times = await asyncio.gather(*(users(name) for name in range(POLLERS)))
    await asyncio.gather(*(channel.close() for channel in channels))
    return float(np.percentile(np.concatenate(times), 99))


async def _rate(stub: Any, user: str, item: str) -> int:
    request = pb.SubmitRatingRequest(user_id=user, item_id=item, value=4.0)
    return int((await stub.SubmitRating(request)).user_revision)


async def _recommend(stub: Any, user: str) -> pb.RecommendResponse:
    request = pb.RecommendRequest(user_id=user, page_size=10)
    answer: pb.RecommendResponse = await stub.Recommend(request)
    return answer
