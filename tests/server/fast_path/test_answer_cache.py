"""A cached answer is sent only while nothing that it was made from has changed."""

from typing import Any

import pytest
from foldin_model.ids import UserId, Version
from foldin_model.records.personalization import Personalization
from foldin_model.retrieval.filters import NO_FILTER
from foldin_model.store.protocols import ModelStore
from foldin_model.trained.snapshot import Edition
from foldin_server.fast_path.answer_cache import MAX_BYTES, AnswerCache, CachedAnswer
from foldin_server.fast_path.plain_pages import PlainPages
from foldin_server.fast_path.prepared_replies import PreparedItems
from foldin_server.process.stores import Stores
from foldin_server.requests.arguments import PageArguments, RecommendArguments, UserArguments
from planted import Planted
from server.faults import Gate
from server.live import Live, failure, ids, import_histories, live, publish_version, until

V1, V2 = Edition(Version("v1"), 0), Edition(Version("v2"), 0)


def answer(
    revision: int = 3, *, user: str | None = "u", token: str = "", encoded: bytes = b"answer"
) -> CachedAnswer:
    arguments = RecommendArguments(
        user=UserArguments(None if user is None else UserId(user)),
        page=PageArguments(10, token, b""),
        item_filter=NO_FILTER,
        include_rated=False,
        strength=0.0,
        max_per_cluster=0,
        max_reasons=None,
    )
    return CachedAnswer(arguments, revision, Personalization.FOLDED_IN, encoded)


def test_the_least_recently_sent_answer_leaves_first() -> None:
    answers = AnswerCache(2)
    for request in (b"a", b"b"):
        answers.put(V1, request, answer())
    assert answers.get(V1, b"a") is not None
    answers.put(V1, b"c", answer())
    assert [answers.get(V1, request) is None for request in (b"a", b"b", b"c")] == [
        False,
        True,
        False,
    ]
    assert answers.get(V2, b"a") is None
    assert len(answers) == 2


@pytest.mark.parametrize(
    "passing",
    [
        answer(revision=0),
        answer(user=None),
        answer(token="next"),
        answer(encoded=bytes(MAX_BYTES + 1)),
    ],
    ids=["no revision", "no user", "a later page", "long"],
)
def test_what_ratings_of_one_user_do_not_decide_is_not_kept(passing: CachedAnswer) -> None:
    answers = AnswerCache(2)
    answers.put(V1, b"a", passing)
    assert len(answers) == 0


def test_a_cache_of_size_0_keeps_nothing() -> None:
    answers = AnswerCache(0)
    answers.put(V1, b"a", answer())
    assert len(answers) == 0


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Has one entry for each answer that was made and not taken from the cache."""
    calls: list[object] = []
    responses = PreparedItems.responses

    def counted(self: PreparedItems, pages: PlainPages, *args: Any) -> list[bytes]:
        calls.extend(pages.revisions)
        return responses(self, pages, *args)

    monkeypatch.setattr(PreparedItems, "responses", counted)
    return calls


async def test_a_cached_answer_is_sent_until_a_rating_arrives(
    app: Live, made: list[object]
) -> None:
    first = await app.recommend("1", 10)
    assert await app.recommend("1", 10) == first
    assert len(made) == 1
    rated = await app.rate("1", first.items[0].item_id, 1.0)
    fresh = await app.recommend("1", 10)
    assert fresh.serving_info.user_revision == rated.user_revision
    assert first.items[0].item_id not in ids(fresh)
    assert len(made) == 2


async def test_other_arguments_get_other_answers(app: Live, made: list[object]) -> None:
    pages = [await app.recommend("1", size) for size in (3, 4, 3)]
    assert [len(page.items) for page in pages] == [3, 4, 3]
    other = await app.recommend("1", 3, filter={"include_rated": True})
    assert len(other.items) == 3
    assert len(made) == 3


async def test_a_missing_revision_is_waited_for_despite_a_cached_answer(app: Live) -> None:
    revision = (await app.recommend("1", 10)).serving_info.user_revision
    await app.recommend("1", 10, min_user_revision=revision)
    error = await failure(app.recommend("1", 10, min_user_revision=revision + 1_000))
    assert error.code == "ABORTED"


async def test_without_the_store_no_cached_answer_is_sent(
    app: Live, ratings: Gate, made: list[object]
) -> None:
    await app.recommend("1", 10)
    ratings.gone = True
    assert (await app.recommend("1", 10)).serving_info.degraded
    ratings.gone = False
    await until(lambda: app.server.store.reachable)
    assert not (await app.recommend("1", 10)).serving_info.degraded
    assert len(made) == 2


async def test_another_model_makes_a_new_answer(
    app: Live, other: Planted, models: ModelStore, made: list[object]
) -> None:
    old = (await app.recommend("1", 10)).serving_info.model_version
    version = publish_version(other, models)
    await until(lambda: app.server.snapshots.serving().version == version)
    assert (await app.recommend("1", 10)).serving_info.model_version == version != old
    assert len(made) == 2


async def test_no_answer_is_cached_with_the_cache_off(
    small: Planted, stores: Stores, made: list[object]
) -> None:
    publish_version(small, stores.models)
    await import_histories(small, stores.ratings, ["1"])
    async with live(stores, answer_cache_size=0) as running:
        assert await running.recommend("1", 10) == await running.recommend("1", 10)
    stores.models.close()
    assert len(made) == 2


async def test_a_user_with_a_cached_answer_is_remembered_like_others(
    small: Planted, stores: Stores, ratings: Gate
) -> None:
    publish_version(small, stores.models)
    await import_histories(small, stores.ratings, ["1", "2", "3"])
    async with live(stores, user_cache_size=2) as running:
        before = {user: await running.recommend(user) for user in ("1", "2", "1", "3")}
        ratings.gone = True
        after = {user: await running.recommend(user) for user in ("1", "2", "3")}
        ratings.gone = False
    stores.models.close()
    assert [ids(after[user]) == ids(before[user]) for user in ("1", "2", "3")] == [
        True,
        False,
        True,
    ]
