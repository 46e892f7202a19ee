"""A batch gives each caller the answer of a single call; a failure stays with its caller."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.errors import StoreUnavailable
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import FoldedUsers
from foldin_model.retrieval.filters import NO_FILTER
from foldin_server.admission.call import Call
from foldin_server.fast_path import batch_answers, time_slices
from foldin_server.fast_path.answer_cache import AnswerCache
from foldin_server.fast_path.batch_answers import BatchAnswers
from foldin_server.fast_path.pending_recommend import PendingRecommend
from foldin_server.fast_path.plain_pages import PlainPages, is_plain, plain_pages
from foldin_server.recommend import page
from foldin_server.recommend.users import Users, UserView
from foldin_server.replies import renderer
from foldin_server.requests.arguments import PageArguments, RecommendArguments, UserArguments
from snapshots import planted_snapshot, state_of

SNAPSHOT = planted_snapshot()
KEY = bytes(32)


class Held:
    """Users whose states are at hand once `open` is set; it counts how many are read together."""

    def __init__(self, many: int) -> None:
        rng = np.random.default_rng(0)
        drawn = (rng.permutation(120)[: rng.integers(0, 110)] for _ in range(many))
        self.known = [UserView(state_of({str(101 + row): 4.0 for row in rows})) for rows in drawn]
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()
        self.together: list[int] = []
        self.gone: set[int] = set()

    async def views(self, asked: Sequence[UserArguments], _: Version) -> list[UserView | Exception]:
        self.together.append(len(asked))
        self.asked.set()
        await self.open.wait()
        places = [int(user.user_id or "") for user in asked]
        lost = StoreUnavailable("gone")
        return [lost if place in self.gone else self.known[place] for place in places]

    async def view(self, user: UserArguments, *_: object) -> UserView:
        return self.known[int(user.user_id or "")]

    def keep(self, *_: object) -> None:
        """Nothing is kept."""


class Key:
    page_key = KEY


def arguments(user: int, size: int, **more: Any) -> RecommendArguments:
    return RecommendArguments(
        user=UserArguments(UserId(str(user)), **more),
        page=PageArguments(size, "", bytes(16)),
        item_filter=NO_FILTER,
        include_rated=False,
        strength=0.0,
        max_per_cluster=0,
        max_reasons=None,
    )


def made(held: Held) -> BatchAnswers:
    return BatchAnswers(cast("Any", Key()), cast("Users", held), AnswerCache(0), "native")


def ask(together: BatchAnswers, user: int, size: int = 5, **more: Any) -> "asyncio.Future[bytes]":
    loop = asyncio.get_running_loop()
    reply: asyncio.Future[bytes] = loop.create_future()
    call = Call("Recommend")
    request, asked = str(user).encode(), arguments(user, size, **more)
    pending = PendingRecommend(request, asked, SNAPSHOT, None, call, reply)
    work = together.add(pending)
    return reply if work is None else asyncio.ensure_future(work)


async def test_answers_of_a_batch_are_those_of_single_calls() -> None:
    held = Held(40)
    together = made(held)
    sizes = [5 + 10 * (place % 3) for place in range(40)]
    answers = await asyncio.gather(*(ask(together, user, size) for user, size in enumerate(sizes)))
    assert held.together == [16, 16, 8]
    for user, (size, answer) in enumerate(zip(sizes, answers, strict=True)):
        asked = arguments(user, size)
        assert is_plain(SNAPSHOT, asked)
        alone = page.recommend(SNAPSHOT, held.known[user], asked, None)
        assert pb.RecommendResponse.FromString(answer) == renderer.recommendation(alone, KEY)


async def test_calls_that_arrive_during_a_read_are_read_next() -> None:
    held = Held(9)
    together = made(held)
    held.open.clear()
    first = [ask(together, user) for user in range(2)]
    await held.asked.wait()
    later = [ask(together, user) for user in range(2, 9)]
    later[3].cancel()
    held.open.set()
    answered = await asyncio.gather(*first, *later, return_exceptions=True)
    assert held.together == [2, 6]
    assert [isinstance(answer, bytes) for answer in answered] == [user != 5 for user in range(9)]


async def test_a_user_who_is_read_alone_is_answered_with_the_others() -> None:
    held = Held(4)
    together = made(held)
    plain = await ask(together, 2)
    assert await ask(together, 2, min_revision=1) == plain
    assert held.together == [1]


@pytest.mark.parametrize(("fewest", "expected"), [(2, [5, 4]), (8, [9])])
async def test_a_large_batch_is_answered_in_even_turns(
    monkeypatch: pytest.MonkeyPatch, fewest: int, expected: list[int]
) -> None:
    batches: list[int] = []

    def counted(snapshot: Any, users: FoldedUsers, *rest: Any) -> PlainPages:
        batches.append(len(users))
        return plain_pages(snapshot, users, *rest)

    monkeypatch.setattr(batch_answers, "plain_pages", counted)
    monkeypatch.setattr(time_slices, "SLICE_MULTIPLICATIONS", 4 * SNAPSHOT.model.items.size)
    monkeypatch.setattr(time_slices, "FEWEST", fewest)
    together = made(Held(10))
    asked = [ask(together, user) for user in range(10)]
    asked[1].cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert batches == expected
    assert [isinstance(answer, bytes) for answer in answers] == [user != 1 for user in range(10)]


async def test_a_call_whose_user_cannot_be_read_fails_alone() -> None:
    held = Held(3)
    held.gone = {1}
    together = made(held)
    answers = await asyncio.gather(
        *(ask(together, user) for user in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [bytes, StoreUnavailable, bytes]


async def test_a_failed_search_fails_its_batch_and_not_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = made(Held(3))
    with monkeypatch.context() as patch:
        patch.setattr(batch_answers, "plain_pages", lambda *_: 1 / 0)
        asked = [ask(together, user) for user in range(3)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in failed] == [ZeroDivisionError] * 3
    assert await ask(together, 0)
