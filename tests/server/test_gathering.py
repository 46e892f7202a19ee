"""Gathering: pages asked for together are those that are asked for alone."""

import asyncio

import numpy as np
import pytest
from foldin_model.filtering import ItemConditions
from foldin_model.personalizing import fold_user
from foldin_model.users import FoldedUser
from foldin_server import gathering, ranking
from foldin_server.arguments import PageArguments, RecommendArguments, UserArguments
from foldin_server.gathering import Gathering
from foldin_server.ranking import PlainPage
from foldin_server.users import UserView
from snapshots import planted_snapshot, state_of

SNAPSHOT = planted_snapshot()


def views(many: int) -> list[UserView]:
    rng = np.random.default_rng(0)
    drawn = (rng.permutation(120)[: rng.integers(0, 110)] for _ in range(many))
    return [UserView(state_of({str(101 + row): 4.0 for row in rows})) for rows in drawn]


def user_of(view: UserView) -> FoldedUser:
    return fold_user(SNAPSHOT, view.state)


async def test_pages_made_together_are_those_made_alone() -> None:
    asked = views(40)
    together = Gathering()
    sizes = [5 + 10 * (place % 3) for place in range(len(asked))]
    pages = await asyncio.gather(
        *(together.page(SNAPSHOT, user_of(v), size) for v, size in zip(asked, sizes, strict=True))
    )
    for view, size, page in zip(asked, sizes, pages, strict=True):
        arguments = RecommendArguments(
            user=UserArguments(None),
            page=PageArguments(size, "", b""),
            conditions=ItemConditions(),
            include_rated=False,
            strength=0.0,
            max_per_cluster=0,
            max_reasons=None,
        )
        assert ranking.is_plain(SNAPSHOT, arguments)
        alone = ranking.recommend(SNAPSHOT, view, arguments, None)
        made = ranking.plain_recommendation(SNAPSHOT, view, arguments, user_of(view), page)
        assert made.hits.rows.tolist() == alone.hits.rows.tolist()
        assert made.hits.scores.tolist() == alone.hits.scores.tolist()
        assert made.predictions.tolist() == alone.predictions.tolist()
        assert (made.next_token is None) == (alone.next_token is None)
        if made.next_token is not None and alone.next_token is not None:
            assert made.next_token.encode(b"key") == alone.next_token.encode(b"key")


async def test_a_crowd_is_answered_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    crowds: list[int] = []

    def counted(snapshot: object, users: list[FoldedUser], size: int) -> list[PlainPage]:
        crowds.append(len(users))
        return ranking.plain_pages(SNAPSHOT, users, size)

    monkeypatch.setattr(gathering, "plain_pages", counted)
    monkeypatch.setattr(gathering, "OPERATIONS", 4 * SNAPSHOT.model.items.size)
    user = user_of(views(1)[0])
    together = Gathering()
    asked = [together.page(SNAPSHOT, user, 5) for _ in range(10)]
    asked[1].cancel()
    pages = await asyncio.gather(*asked, return_exceptions=True)
    assert crowds == [3, 4, 2]
    assert [isinstance(page, PlainPage) for page in pages] == [place != 1 for place in range(10)]


async def test_a_failure_is_everybodys_and_the_next_page_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = user_of(views(1)[0])
    together = Gathering()
    with monkeypatch.context() as patch:
        patch.setattr(gathering, "plain_pages", lambda *_: 1 / 0)
        asked = [together.page(SNAPSHOT, user, 5) for _ in range(3)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in failed] == [ZeroDivisionError] * 3
    assert len((await together.page(SNAPSHOT, user, 5)).ranked.hits) == 5
