"""Commands take an item by its id, or by a title that only one item has."""

import json

from foldin.v1 import catalog_pb2
from foldin.v1 import recommendation_pb2 as pb
from scripted import Run, Scripted, item_not_found, listed

HEAT = catalog_pb2.Item(item_id="6", title="Heat", genres=["Action", "Crime"], year=1995)
NIGHT = catalog_pb2.Item(item_id="9", title="In the Heat of the Night", year=1967)


def test_a_title_names_an_item_where_only_one_has_it(server: Scripted, run: Run) -> None:
    listed(server, HEAT, NIGHT)
    server.script("SubmitRating", pb.SubmitRatingResponse(user_revision=4))
    for title in ("heat", "Heat (1995)", "HEAT"):
        result = run("rate", "1", title, "4.5", "--json")
        document = json.loads(result.stdout)
        assert (document["item_id"], document["title"]) == ("6", "Heat")
        assert document["user_revision"] == 4


def test_an_article_may_stand_before_or_after_the_title(server: Scripted, run: Run) -> None:
    listed(server, catalog_pb2.Item(item_id="2571", title="Matrix, The", year=1999))
    assert json.loads(run("item", "the matrix", "--json").stdout)["item_id"] == "2571"


def test_an_ambiguous_title_lists_the_candidates(server: Scripted, run: Run) -> None:
    listed(server, HEAT, NIGHT)
    result = run("similar", "heat of")
    assert result.exit_code == 3
    assert "9  In the Heat of the Night (1967)" in result.stderr
    assert "6  Heat (1995)" in result.stderr
    failure = json.loads(run("similar", "heat of", "--json").stderr)
    assert failure["error"] == "TITLE_AMBIGUOUS"
    assert failure["metadata"] == {"6": "Heat (1995)", "9": "In the Heat of the Night (1967)"}


def test_a_year_chooses_among_equal_titles(server: Scripted, run: Run) -> None:
    listed(server, HEAT, catalog_pb2.Item(item_id="7", title="Heat", year=1986))
    assert run("item", "Heat").exit_code == 3
    listed(server, catalog_pb2.Item(item_id="7", title="Heat", year=1986))
    assert json.loads(run("item", "Heat (1986)", "--json").stdout)["item_id"] == "7"
    request = catalog_pb2.ListItemsRequest.FromString(server.sent("ListItems")[-1])
    assert (request.filter.min_year, request.filter.max_year) == (1986, 1986)


def test_a_title_is_searched_on_every_page(server: Scripted, run: Run) -> None:
    others = [catalog_pb2.Item(item_id=f"n{k}", title=f"Heat {k}") for k in range(200)]
    server.script("GetItem", item_not_found("heat"))
    server.script(
        "ListItems",
        catalog_pb2.ListItemsResponse(items=others, next_page_token="t", total_size=201),
        catalog_pb2.ListItemsResponse(items=[HEAT], total_size=201),
    )
    assert json.loads(run("item", "heat", "--json").stdout)["item_id"] == "6"


def test_of_many_candidates_the_first_are_listed_and_all_are_counted(
    server: Scripted, run: Run
) -> None:
    page = [catalog_pb2.Item(item_id=f"n{k}", title=f"Heat {k}") for k in range(200)]
    server.script("GetItem", item_not_found("heat"))
    answer = catalog_pb2.ListItemsResponse(items=page, next_page_token="t", total_size=54_321)
    server.script("ListItems", answer)
    failure = json.loads(run("item", "heat", "--json").stderr)
    assert "54,321 items, the first 20 of which follow" in failure["message"]
    assert list(failure["metadata"]) == [f"n{k}" for k in range(20)]
    assert len(server.sent("ListItems")) == 5
