"""While the store is unreachable, reads are answered from memory and say so; writes fail."""

import asyncio

import pytest
from foldin.v1 import ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_server.recommend.user_cache import UserCache
from planted import Planted
from server.faults import Gate
from server.live import Live, failure, ids, seen_by, until


async def test_a_user_served_before_is_answered_as_last_known(app: Live, ratings: Gate) -> None:
    rated = await app.rate("new", "101", 5.0)
    fresh = await app.recommend("new", 50)
    ratings.gone = True
    stale = await app.recommend("new", 50)
    assert stale.serving_info.degraded
    assert not fresh.serving_info.degraded
    assert fresh.serving_info.freshness == ratings_pb2.FRESHNESS_STRICT
    assert stale.serving_info.freshness == ratings_pb2.FRESHNESS_UNSPECIFIED
    assert stale.items == fresh.items
    assert stale.serving_info.user_revision == rated.user_revision
    assert (await app.recommend("new", min_user_revision=rated.user_revision)).items
    assert (await app.recommend("new", require_known_user=True)).items


async def test_a_user_not_served_before_sees_the_popular_list(app: Live, ratings: Gate) -> None:
    popular = ids(await app.recommend("stranger"))
    ratings.gone = True
    answer = await app.recommend("1")
    info = answer.serving_info
    assert ids(answer) == popular
    assert info.degraded
    assert info.user_revision == 0
    assert info.personalization == ratings_pb2.PERSONALIZATION_POPULAR


async def test_calls_that_only_the_store_can_answer_fail(app: Live, ratings: Gate) -> None:
    ratings.gone = True
    for call in (
        app.recommend("1", min_user_revision=1),
        app.recommend("1", require_known_user=True),
        app.recommendations.GetUserState(pb.GetUserStateRequest(user_id="1")),
        app.rate("1", "101", 3.0),
        app.recommendations.DeleteRating(pb.DeleteRatingRequest(user_id="1", item_id="101")),
    ):
        failed = await failure(call)
        assert (failed.code, failed.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
        assert failed.retry_ms > 0


async def test_pages_explanations_and_predictions_are_answered_from_memory(
    app: Live, ratings: Gate, small: Planted
) -> None:
    first = await app.recommend("1", 20, include_explanations=True)
    ratings.gone = True
    second = await app.recommend(
        "1", 20, include_explanations=True, page_token=first.next_page_token
    )
    assert second.serving_info.degraded
    assert not set(ids(second)) & (set(ids(first)) | seen_by(small, "1"))
    for item in second.items:
        assert item.base_score + item.other_contributions == pytest.approx(item.score, abs=1e-4)
    predicted = await app.recommendations.PredictRatings(
        pb.PredictRatingsRequest(user_id="1", item_ids=["101"])
    )
    assert predicted.serving_info.degraded
    liked = pb.Profile(ratings=[ratings_pb2.Rating(item_id="101", value=5.0)])
    with_profile = await app.recommend("1", 100, profile=liked)
    assert not set(ids(with_profile)) & (seen_by(small, "1") | {"101"})


async def test_entries_of_a_batch_are_refused_one_by_one(app: Live, ratings: Gate) -> None:
    ratings.gone = True
    entry = pb.SubmitRatingRequest(user_id="1", item_id="101", value=3.0)
    answer = await app.recommendations.BatchSubmitRatings(
        pb.BatchSubmitRatingsRequest(requests=[entry, entry])
    )
    assert [result.error.code for result in answer.results] == [14, 14]  # UNAVAILABLE


async def test_while_the_store_is_known_to_be_gone_no_call_waits_for_it(
    app: Live, ratings: Gate
) -> None:
    ratings.gone = True
    await app.recommend("1")
    ratings.open.clear()  # only the pings are held up
    await asyncio.wait_for(app.recommend("1"), 5)
    await asyncio.wait_for(failure(app.rate("1", "101", 3.0)), 5)
    ratings.open.set()


async def test_a_store_that_comes_back_is_found(app: Live, ratings: Gate) -> None:
    ratings.gone = True
    await app.recommend("1")
    assert app.server.metrics.registry.get_sample_value("foldin_store_reachable_ratio") == 0
    ratings.gone = False
    await until(lambda: app.server.store.reachable)
    answer = await app.recommend("1")
    assert not answer.serving_info.degraded
    assert answer.serving_info.personalization == ratings_pb2.PERSONALIZATION_TRAINED
    assert app.server.metrics.registry.get_sample_value("foldin_store_reachable_ratio") == 1
    assert app.server.metrics.registry.get_sample_value("foldin_store_outages_total") == 1


async def test_a_store_that_refuses_a_write_is_reachable(app: Live, ratings: Gate) -> None:
    ratings.full = True
    failed = await failure(app.rate("1", "101", 5.0))
    assert (failed.code, failed.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
    assert "full" in failed.status.message
    assert app.server.store.reachable
    assert not (await app.recommend("1")).serving_info.degraded
    assert app.server.metrics.registry.get_sample_value("foldin_store_outages_total") == 0


async def test_the_least_recently_served_user_is_forgotten(app: Live) -> None:
    cache, snapshot = UserCache(2), app.server.snapshots.serving()
    user = PackedUser(snapshot.version, 0, b"")
    for name in ("a", "b", "a", "c"):
        cache.put(UserId(name), user)
    held = {name for name in "abc" if cache.get(UserId(name), snapshot.version)}
    assert held == {"a", "c"}
    assert cache.get(UserId("a"), Version("another")) is None


@pytest.mark.parametrize(
    ("revision", "held"), [(6, 7), (8, 8), (0, 0)], ids=["earlier", "later", "forgotten"]
)
async def test_a_state_is_replaced_by_a_later_one_and_by_revision_0(
    app: Live, revision: int, held: int
) -> None:
    cache, snapshot = UserCache(2), app.server.snapshots.serving()
    cache.put(UserId("a"), PackedUser(snapshot.version, 7, b""))
    cache.put(UserId("a"), PackedUser(snapshot.version, revision, b""))
    user = cache.get(UserId("a"), snapshot.version)
    assert user is not None
    assert user.revision == held
