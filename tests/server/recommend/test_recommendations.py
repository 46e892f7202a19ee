"""The answers of RecommendationService, on the store in memory and on a real one."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from foldin.v1 import ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.ratings_pb2 import ItemFilter
from foldin_server.recommend import page
from planted import Planted
from server.faults import Gate
from server.live import Live, ids, ids_of, seen_by

backends = pytest.mark.parametrize("backend", ["memory", "redis"])


def scores(answer: Any) -> list[float]:
    return [item.score for item in answer.items]


def profile(*ratings: tuple[str, float]) -> pb.Profile:
    return pb.Profile(ratings=[ratings_pb2.Rating(item_id=i, value=v) for i, v in ratings])


def reasons_add_up(item: ratings_pb2.ScoredItem) -> bool:
    parts = [reason.contribution for reason in item.reasons]
    total = item.base_score + sum(parts) + item.other_contributions
    sizes = [abs(part) for part in parts]
    return abs(total - item.score) <= 1e-4 * max(1.0, abs(item.score)) and sizes == sorted(
        sizes, reverse=True
    )


@backends
async def test_a_trained_user_is_answered_from_their_trained_vector(
    app: Live, small: Planted
) -> None:
    answer = await app.recommend("1")
    info = answer.serving_info
    assert info.personalization == ratings_pb2.PERSONALIZATION_TRAINED
    assert info.rating_count == len(seen_by(small, "1"))
    assert info.user_revision > 0
    assert info.model_version == app.server.snapshots.serving().version
    assert info.model_time.seconds > 0
    assert len(answer.items) == 10
    assert not seen_by(small, "1") & set(ids(answer))


async def test_items_are_ordered_by_score_and_have_their_metadata(
    app: Live, small: Planted
) -> None:
    answer = await app.recommend("1", 50)
    catalog = small.model.catalog
    assert scores(answer) == sorted(scores(answer), reverse=True)
    for item in answer.items:
        row = catalog.row(item.item_id)
        assert row is not None
        assert item.title == catalog.titles[row]
        assert tuple(item.genres) == catalog.genres[row]
        assert (item.year if item.HasField("year") else None) == catalog.years[row]
        assert item.cluster_id == catalog.cluster_ids[row]
        assert small.model.scale.low <= item.predicted_rating <= small.model.scale.high
        assert item.source == ratings_pb2.SOURCE_COLLABORATIVE


async def test_an_unknown_user_sees_the_popular_list_and_the_answer_says_so(app: Live) -> None:
    answer = await app.recommend("stranger")
    assert answer.serving_info.personalization == ratings_pb2.PERSONALIZATION_POPULAR
    assert answer.serving_info.user_revision == 0
    assert {item.source for item in answer.items} == {ratings_pb2.SOURCE_POPULAR}


async def test_an_answer_takes_one_round_trip_to_the_store(app: Live, ratings: Gate) -> None:
    await app.recommend("1")
    await app.server.background.drain()
    before = ratings.asked
    await app.recommend("1")
    await app.recommend("1", include_explanations=False, diversity=pb.Diversity(strength=0.5))
    assert ratings.asked - before == 2


@backends
async def test_a_rated_item_is_never_recommended(app: Live) -> None:
    for step in range(25):
        best = ids(await app.recommend("new"))[step % 10]
        await app.rate("new", best, [0.5, 5.0, 3.0][step % 3])
        after = await app.recommend("new", 200)
        assert best not in ids(after)
        assert after.serving_info.rating_count == step + 1
    assert len(ids(await app.recommend("new", 200, filter=ItemFilter(include_rated=True)))) == 120


@backends
async def test_the_answer_depends_on_the_ratings_and_not_on_their_order(app: Live) -> None:
    given = [
        (str(item), value) for item, value in zip(range(101, 120), [0.5, 5, 3] * 7, strict=False)
    ]
    for user, seed in (("a", 1), ("b", 2)):
        for item, value in random.Random(seed).sample(given, len(given)):
            await app.rate(user, item, value)
    assert (await app.recommend("a", 200)).items == (await app.recommend("b", 200)).items


@backends
async def test_a_deletion_undoes_its_rating(app: Live) -> None:
    before = await app.recommend("1", 100)
    item = ids(before)[0]
    rated = await app.rate("1", item, 0.5)
    assert (await app.recommend("1", 100)).items != before.items
    deleted = await app.recommendations.DeleteRating(
        pb.DeleteRatingRequest(user_id="1", item_id=item)
    )
    after = await app.recommend("1", 100)
    assert deleted.user_revision > rated.user_revision
    assert after.serving_info.personalization == ratings_pb2.PERSONALIZATION_TRAINED
    assert after.items == before.items


@backends
@pytest.mark.parametrize("diversity", [None, pb.Diversity(strength=0.4, max_per_cluster=20)])
async def test_pages_neither_repeat_nor_skip_also_when_the_user_rates_in_between(
    app: Live, diversity: pb.Diversity | None
) -> None:
    whole = ids_of(await app.pages("2", 200, diversity=diversity))
    token, shown, rated = "", [], set()
    sizes = [7, 1, 13, 5, 30, 4, 200]
    for size in sizes:
        page = await app.recommend("2", size, page_token=token, diversity=diversity)
        shown += ids(page)
        token = page.next_page_token
        left = [item for item in whole if item not in shown and item not in rated]
        if left:
            rated.add(left[len(left) // 2])
            await app.rate("2", left[len(left) // 2], 5.0)
    assert shown == [item for item in whole if item in shown]
    assert set(whole) - set(shown) <= rated
    assert token == ""


@backends
async def test_pages_continue_with_the_same_scores_and_reasons_that_add_up(app: Live) -> None:
    pages = await app.pages("3", 40, include_explanations=True)
    assert len(pages) > 1
    all_scores = [score for page in pages for score in scores(page)]
    assert all_scores == sorted(all_scores, reverse=True)
    assert all(reasons_add_up(item) for page in pages for item in page.items)


@pytest.mark.parametrize("user", ["1", "4", "stranger", "new"])
@pytest.mark.parametrize("max_reasons", [0, 1, 50])
async def test_base_reasons_and_rest_add_up_to_the_score(
    app: Live, user: str, max_reasons: int
) -> None:
    for item, value in (("101", 5.0), ("102", 0.5), ("105", 4.0)):
        await app.rate("new", item, value)
    answer = await app.recommend(user, 100, include_explanations=True, max_reasons=max_reasons)
    assert all(reasons_add_up(item) for item in answer.items)
    limit = max_reasons or 5
    assert max(len(item.reasons) for item in answer.items) <= limit
    if user == "new":
        assert {reason.item_id for item in answer.items for reason in item.reasons} <= {
            "101",
            "102",
            "105",
        }


@pytest.mark.parametrize("seed", range(8))
async def test_every_filter_holds_for_every_item(app: Live, small: Planted, seed: int) -> None:
    rng = random.Random(seed)
    some = [str(item) for item in rng.sample(range(101, 221), 60)]
    chosen = ItemFilter(
        include_genres=rng.sample(["Comedy", "drama", "LONG", "nil"], rng.randint(0, 3)),
        exclude_genres=rng.sample(["Horror", "long"], rng.randint(0, 2)),
        exclude_item_ids=some[:20],
        candidate_item_ids=some if rng.random() < 0.5 else [],
        min_year=rng.choice([None, 1960]),
        max_year=rng.choice([None, 2000]),
    )
    shown = ids_of(await app.pages("1", 11, filter=chosen))
    assert set(shown) == passing(small, chosen) - seen_by(small, "1")
    assert len(shown) == len(set(shown))
    similar = pb.SimilarItemsRequest(item_id="101", page_size=200, filter=chosen)
    assert set(ids(await app.recommendations.SimilarItems(similar))) == passing(small, chosen) - {
        "101"
    }


def passing(made: Planted, chosen: ItemFilter) -> set[str]:
    catalog = made.model.catalog
    found: set[str] = set()
    for item, genres, year in zip(catalog.item_ids, catalog.genres, catalog.years, strict=True):
        names = {genre.lower() for genre in genres}
        if chosen.include_genres and not names & lowered(chosen.include_genres):
            continue
        if names & lowered(chosen.exclude_genres) or item in chosen.exclude_item_ids:
            continue
        if chosen.candidate_item_ids and item not in chosen.candidate_item_ids:
            continue
        if chosen.HasField("min_year") and (year is None or year < chosen.min_year):
            continue
        if chosen.HasField("max_year") and (year is None or year > chosen.max_year):
            continue
        found.add(item)
    return found


def lowered(names: Sequence[str]) -> set[str]:
    return {name.lower() for name in names}


async def test_max_per_cluster_limits_every_cluster_across_pages(app: Live) -> None:
    pages = await app.pages("1", 3, diversity=pb.Diversity(max_per_cluster=2))
    clusters = [item.cluster_id for page in pages for item in page.items]
    assert sorted(clusters) == [1, 1, 2, 2, 3, 3, 4, 4]


async def test_a_diversified_list_ends_with_the_best_of_its_window(
    app: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "WINDOW", 50)
    best = ids(await app.recommend("1", 50))
    diversified = ids_of(await app.pages("1", 20, diversity=pb.Diversity(strength=0.3)))
    assert sorted(diversified) == sorted(best)
    assert len(ids_of(await app.pages("1", 20))) > 50


async def test_the_last_rating_of_an_item_in_a_profile_counts(app: Live) -> None:
    first, other, last = ("101", 0.5), ("102", 4.0), ("101", 5.0)
    both = await app.recommend("1", profile=profile(first, other, last))
    assert both.items == (await app.recommend("1", profile=profile(other, last))).items
    assert both.items != (await app.recommend("1", profile=profile(first, other))).items


async def test_a_profile_counts_for_one_call_only(app: Live) -> None:
    before = await app.recommend("1", 100)
    liked = profile(("101", 5.0), ("105", 5.0), ("nil", 5.0))
    with_profile = await app.recommend("1", 100, profile=liked)
    assert with_profile.items != before.items
    assert not {"101", "105"} & set(ids(with_profile))
    assert (await app.recommend("1", 100)) == before


async def test_a_profile_alone_answers_as_the_same_ratings_stored(app: Live) -> None:
    given = (("101", 5.0), ("102", 1.0), ("109", 4.5))
    for item, value in given:
        await app.rate("new", item, value)
    anonymous = await app.recommend("", 100, profile=profile(*given))
    assert anonymous.items == (await app.recommend("new", 100)).items
    assert anonymous.serving_info.personalization == ratings_pb2.PERSONALIZATION_FOLDED_IN
    assert anonymous.serving_info.user_revision == 0


async def test_a_known_user_is_one_with_a_trained_vector_or_a_live_rating(app: Live) -> None:
    await app.rate("new", "101", 3.0)
    for user in ("1", "9", "new"):  # the ratings of "9" were not imported, but trained on
        await app.recommend(user, require_known_user=True)


async def test_sizes_have_a_default_and_a_cap(app: Live) -> None:
    wide = ItemFilter(include_rated=True)
    assert len((await app.recommend("1", 0)).items) == 10
    assert len((await app.recommend("1", 5000, filter=wide)).items) == 120


async def test_similar_items_are_of_one_cluster_and_leave_out_the_item_itself(app: Live) -> None:
    first = await app.recommendations.SimilarItems(pb.SimilarItemsRequest(item_id="101"))
    assert "101" not in ids(first)
    assert {item.cluster_id for item in first.items} == {1}
    assert not any(item.HasField("predicted_rating") for item in first.items)
    shown = ids(first)
    token = first.next_page_token
    while token:
        page = await app.recommendations.SimilarItems(
            pb.SimilarItemsRequest(item_id="101", page_size=50, page_token=token)
        )
        shown += ids(page)
        token = page.next_page_token
    assert len(shown) == len(set(shown)) == 119


@backends
async def test_predictions_name_the_ratings_that_the_user_has_given(
    app: Live, small: Planted
) -> None:
    await app.rate("new", "101", 4.5)
    answer = await app.recommendations.PredictRatings(
        pb.PredictRatingsRequest(
            user_id="new", item_ids=["103", "101", "103"], profile=profile(("102", 2.0))
        )
    )
    first, second, third = answer.predictions
    assert [p.item_id for p in answer.predictions] == ["103", "101", "103"]
    assert first == third
    assert not first.HasField("rating")
    assert second.rating == 4.5
    assert all(0.5 <= p.predicted_rating <= 5.0 for p in answer.predictions)
    recommended = await app.recommend(
        "new", 1, profile=profile(("102", 2.0)), filter=ItemFilter(candidate_item_ids=["103"])
    )
    assert np.isclose(recommended.items[0].predicted_rating, first.predicted_rating)


async def test_a_batch_answers_as_single_calls_do(app: Live) -> None:
    users = ["1", "2", "stranger", "1"]
    answer = await app.recommendations.BatchRecommend(
        pb.BatchRecommendRequest(requests=[pb.RecommendRequest(user_id=user) for user in users])
    )
    single = [await app.recommend(user, 0) for user in users]
    assert [result.response for result in answer.results] == single


@backends
async def test_the_state_of_a_user_is_what_was_stored_latest_first(
    app: Live, small: Planted
) -> None:
    await app.rate("1", "101", 4.5)
    state = await app.recommendations.GetUserState(pb.GetUserStateRequest(user_id="1"))
    assert state.trained
    assert state.ratings[0].rating.item_id == "101"
    assert state.ratings[0].title == small.model.catalog.titles[0]
    assert state.ratings[0].in_model
    assert {rated.rating.item_id for rated in state.ratings} == seen_by(small, "1") | {"101"}
    assert state.serving_info.rating_count == len(state.ratings)
    two = await app.recommendations.GetUserState(pb.GetUserStateRequest(user_id="1", max_ratings=2))
    assert list(two.ratings) == list(state.ratings)[:2]
    stranger = await app.recommendations.GetUserState(pb.GetUserStateRequest(user_id="stranger"))
    assert not stranger.trained
    assert not stranger.ratings
