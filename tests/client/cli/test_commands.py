"""What commands print, and the exit codes that scripts rely on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2
from foldin.v1 import recommendation_pb2 as pb
from scripted import Run, Scripted, invalid, listed, unavailable

HEAT = catalog_pb2.Item(item_id="6", title="Heat", genres=["Action", "Crime"], year=1995)
NIGHT = catalog_pb2.Item(item_id="9", title="In the Heat of the Night", year=1967)


def script_ratings(server: Scripted, *item_ids: str) -> None:
    """Makes GetUserState return ratings of these items, at revision 7."""
    ratings = [
        pb.GetUserStateResponse.RatedItem(rating=ratings_pb2.Rating(item_id=item_id, value=4.0))
        for item_id in item_ids
    ]
    info = ratings_pb2.ServingInfo(user_revision=7)
    server.script("GetUserState", pb.GetUserStateResponse(ratings=ratings, serving_info=info))


def script_recommendations(server: Scripted, count: int = 2) -> None:
    items = [
        ratings_pb2.ScoredItem(
            item_id=str(place),
            title=f"Film with a title [{place}]" + " that is long" * 10,
            year=1990,
            score=1.0 / place,
            reasons=[ratings_pb2.Reason(item_id="8", title="Eight", contribution=0.25)],
        )
        for place in range(1, count + 1)
    ]
    info = ratings_pb2.ServingInfo(
        model_version="v1",
        rating_count=3,
        personalization=ratings_pb2.PERSONALIZATION_FOLDED_IN,
    )
    server.script("Recommend", pb.RecommendResponse(items=items, serving_info=info))


def test_recommendations_are_a_table_that_is_not_cut_in_a_pipe(server: Scripted, run: Run) -> None:
    script_recommendations(server)
    result = run("recommend", "1", "--why")
    assert result.exit_code == 0
    assert "Film with a title [1]" + " that is long" * 10 in result.stdout
    assert "+0.250 Eight" in result.stdout
    assert "folded in from 3 ratings · model v1" in result.stdout
    assert "\x1b" not in result.stdout


def test_recommendations_as_json_are_one_document_of_stable_fields(
    server: Scripted, run: Run
) -> None:
    script_recommendations(server, 1)
    result = run("recommend", "1", "--json")
    document = json.loads(result.stdout)
    assert list(document) == ["items", "next_page_token", "serving_info"]
    assert list(document["items"][0]) == [
        *("item_id", "score", "predicted_rating", "title", "genres", "year", "source"),
        *("reasons", "cluster_id", "base_score", "other_contributions"),
    ]
    assert list(document["serving_info"]) == [
        *("model_version", "personalization", "rating_count"),
        *("user_revision", "degraded", "model_time", "freshness"),
    ]
    assert document["serving_info"]["personalization"] == "folded_in"


def test_filters_and_profiles_reach_the_server(server: Scripted, run: Run) -> None:
    script_recommendations(server)
    listed(server, HEAT)
    result = run(
        *("recommend", "--profile", "heat=4.5", "--genre", "Drama", "--exclude-genre", "War"),
        *("--min-year", "1950", "--max-year", "1999", "--include-rated", "-n", "3"),
    )
    assert result.exit_code == 0, result.stderr
    request = pb.RecommendRequest.FromString(server.sent("Recommend")[0])
    assert [(r.item_id, r.value) for r in request.profile.ratings] == [("6", 4.5)]
    assert request.filter.include_genres == ["Drama"]
    assert request.filter.exclude_genres == ["War"]
    assert (request.filter.min_year, request.filter.max_year) == (1950, 1999)
    assert request.filter.include_rated
    assert request.page_size == 3


def test_more_items_than_a_page_holds_are_several_requests(server: Scripted, run: Run) -> None:
    one = [ratings_pb2.ScoredItem(item_id=str(place)) for place in range(200)]
    two = [ratings_pb2.ScoredItem(item_id=str(place)) for place in range(200, 250)]
    server.script(
        "Recommend",
        pb.RecommendResponse(items=one, next_page_token="t"),
        pb.RecommendResponse(items=two, next_page_token="u"),
    )
    document = json.loads(run("recommend", "1", "-n", "250", "--json").stdout)
    sent = [pb.RecommendRequest.FromString(data) for data in server.sent("Recommend")]
    assert [item["item_id"] for item in document["items"]] == [str(n) for n in range(250)]
    assert [(r.page_size, r.page_token) for r in sent] == [(200, ""), (50, "t")]
    assert document["next_page_token"] == "u"


def test_a_rating_of_an_item_that_the_model_lacks_can_be_taken_back(
    server: Scripted, run: Run
) -> None:
    listed(server)
    script_ratings(server, "gone")
    server.script("DeleteRating", pb.DeleteRatingResponse(user_revision=8))
    result = run("unrate", "1", "gone")
    assert (result.exit_code, result.stdout) == (0, "1 unrated gone\n")
    sent = pb.DeleteRatingRequest.FromString(server.sent("DeleteRating")[0])
    assert sent.item_id == "gone"


@pytest.mark.parametrize("known", [(), (HEAT,)], ids=["mistyped", "not rated"])
def test_an_item_that_the_user_has_not_rated_cannot_be_unrated(
    server: Scripted, run: Run, known: tuple[catalog_pb2.Item, ...]
) -> None:
    listed(server, *known)
    script_ratings(server, "9")
    result = run("unrate", "1", "Heat")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "1 has no rating of 'Heat'" in result.stderr
    assert server.sent("DeleteRating") == []


def test_each_kind_of_failure_has_its_exit_code(server: Scripted, run: Run) -> None:
    listed(server)
    assert run("item", "nothing").exit_code == 3
    assert run("item").exit_code == 2
    assert run("recommend").exit_code == 2
    assert run("recommend", "--profile", "x").exit_code == 2
    server.script("Recommend", invalid("user_id"))
    assert run("recommend", "1").exit_code == 1
    server.script("Recommend", unavailable("MODEL_NOT_READY"))
    assert run("recommend", "1").exit_code == 4
    assert run("recommend", "1", "--address", "127.0.0.1:1").exit_code == 4
    assert run("recommend", "1", "--address", "a:1,b:1").exit_code == 2


def test_failures_are_json_with_the_option_json(server: Scripted, run: Run) -> None:
    server.script("Recommend", invalid("user_id"))
    result = run("recommend", "1", "--json")
    failure = json.loads(result.stderr)
    assert result.stdout == ""
    assert list(failure) == [
        *("error", "code", "message", "violations", "metadata", "retry_after_ms"),
    ]
    assert failure["error"] == "INVALID_FIELD"
    assert failure["violations"] == [{"field": "user_id", "description": "is out of range"}]


def test_commands_print_a_table_or_json(server: Scripted, run: Run) -> None:
    server.script("GetItem", catalog_pb2.GetItemResponse(item=HEAT))
    server.script("ListItems", catalog_pb2.ListItemsResponse(items=[HEAT], total_size=1))
    server.script("SimilarItems", pb.SimilarItemsResponse())
    server.script("ListPopularItems", catalog_pb2.ListPopularItemsResponse())
    cluster = catalog_pb2.ItemCluster(cluster_id=1, name="Crime", items=[HEAT], size=9)
    server.script("ListItemClusters", catalog_pb2.ListItemClustersResponse(clusters=[cluster]))
    prediction = pb.PredictRatingsResponse.Prediction(
        item_id="6", predicted_rating=4.25, low=2.75, high=5.0
    )
    server.script("PredictRatings", pb.PredictRatingsResponse(predictions=[prediction]))
    rated = pb.GetUserStateResponse.RatedItem(
        rating=ratings_pb2.Rating(item_id="6", value=4.0), title="Heat", in_model=True
    )
    server.script("GetUserState", pb.GetUserStateResponse(user_id="1", ratings=[rated]))
    model = model_pb2.Model(version="v1", metrics={"rmse": 0.85}, state="STATE_CURRENT")
    server.script("ListModels", model_pb2.ListModelsResponse(models=[model], previous_version="v0"))
    server.script("ActivateModel", model_pb2.ActivateModelResponse(current_version="v0"))
    for command, shown in (
        (("similar", "6"), "No item fits."),
        (("popular",), "No item fits."),
        (("search", "heat"), "Heat"),
        (("item", "6"), "Action, Crime"),
        (("clusters",), "Crime"),
        (("predict", "1", "6"), "4.2"),
        (("predict", "1", "6"), "2.8 to 5.0"),
        (("user", "1"), "Heat"),
        (("models",), "rmse 0.85"),
        (("activate", "v0"), "v0 is the current model"),
        (("rollback",), "v0 is the current model"),
    ):
        result = run(*command)
        assert result.exit_code == 0, result.output
        assert shown in result.stdout
        assert isinstance(json.loads(run(*command, "--json").stdout), dict)


def test_an_activation_is_conditional_on_any_epoch_that_a_store_can_be_at(
    server: Scripted, run: Run
) -> None:
    server.script("ActivateModel", model_pb2.ActivateModelResponse(current_version="v1"))
    assert run("activate", "v1", "--epoch", "3").exit_code == 0
    assert run("activate", "v1").exit_code == 0
    refused = run("activate", "v1", "--epoch", "0")
    assert refused.exit_code == 2
    assert "'--epoch': 0 is not in the range x>=1" in refused.stderr
    sent = [model_pb2.ActivateModelRequest.FromString(s) for s in server.sent("ActivateModel")]
    assert [request.epoch for request in sent] == [3, 0]


def test_a_closed_pipe_is_no_error(server: Scripted) -> None:
    script_recommendations(server, 100)
    command = f"{sys.executable} -m foldin_client recommend 1 --address {server.address} | head -1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert result.stdout
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


def test_a_rating_is_shown_with_every_digit(server: Scripted, run: Run) -> None:
    rated = pb.GetUserStateResponse.RatedItem(
        rating=ratings_pb2.Rating(item_id="6", value=4.25), title="Heat", in_model=True
    )
    server.script("GetUserState", pb.GetUserStateResponse(user_id="1", ratings=[rated]))
    assert "4.25" in run("user", "1").stdout


def test_a_value_below_zero_is_a_value(server: Scripted, run: Run) -> None:
    server.script("GetItem", catalog_pb2.GetItemResponse(item=HEAT))
    server.script("SubmitRating", pb.SubmitRatingResponse(user_revision=5))
    assert run("rate", "1", "6", "-2.5").exit_code == 0
    assert run("rate", "1", "6", "4", "--bogus").exit_code == 2


def test_text_that_is_not_utf_8_is_wrong_usage(run: Run) -> None:
    result = run("recommend", "\udcff")
    assert result.exit_code == 2
    assert "UTF-8" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_an_error_of_one_line(server: Scripted) -> None:
    script_recommendations(server)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "foldin_client", "recommend", "1", "--address", server.address],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: No space left on device")
    assert "Traceback" not in ended.stderr
