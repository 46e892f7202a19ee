"""The commands and both clients against a real server with a planted model."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from client.planted_data import plant
from foldin_client import (
    AsyncClient,
    Client,
    Filter,
    FoldinError,
    NewItem,
    NewRating,
    Query,
    errors,
)
from foldin_client.cli import main
from planted import Planted
from server.processes import serving

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def address(small: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("data")
    plant(small, data_dir)
    with serving(data_dir, "--no-log-calls", "--store-timeout-ms", "5000") as process:
        yield process.address


@pytest.fixture
def run(address: str) -> Run:
    def invoke(*arguments: str) -> Result:
        environment = {"FOLDIN_ADDRESS": address}
        return CliRunner().invoke(main, (*arguments, "--timeout", "20"), env=environment)

    return invoke


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address, timeout_s=20.0) as made:
        yield made


@pytest.fixture
def user() -> str:
    return f"user-{uuid4().hex[:8]}"


def printed(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_rating_by_title_is_recommended_from_and_taken_back(run: Run, user: str) -> None:
    before = printed(run("recommend", user, "--json"))
    assert before["serving_info"]["personalization"] == "popular"
    title = before["items"][0]["title"]
    rated = printed(run("rate", user, title.upper(), "5", "--json"))
    after = printed(run("recommend", user, "--json", "--why"))
    assert after["serving_info"]["personalization"] == "folded_in"
    assert after["serving_info"]["user_revision"] == rated["user_revision"]
    assert rated["item_id"] not in [item["item_id"] for item in after["items"]]
    assert {reason["title"] for item in after["items"] for reason in item["reasons"]} == {title}
    state = printed(run("user", user, "--json"))
    assert [(r["title"], r["value"]) for r in state["ratings"]] == [(title, 5.0)]
    printed(run("unrate", user, title, "--json"))
    again = printed(run("recommend", user, "--json"))
    assert [item["item_id"] for item in again["items"]] == [
        item["item_id"] for item in before["items"]
    ]


def test_failures_have_the_names_and_exit_codes_of_their_kind(run: Run, user: str) -> None:
    for arguments, code, reason in (
        (("rate", user, "101", "7"), 1, "INVALID_FIELD"),
        (("similar", "no such film"), 3, "ITEM_NOT_FOUND"),
        (("similar", "Drama Story"), 3, "TITLE_AMBIGUOUS"),
        (("recommend", user, "--known"), 3, "USER_NOT_FOUND"),
        (("activate", "v-unknown"), 3, "VERSION_NOT_FOUND"),
        (("rollback",), 3, "VERSION_NOT_FOUND"),
    ):
        result = run(*arguments, "--json")
        assert (result.exit_code, json.loads(result.stderr)["error"]) == (code, reason)


def test_tables_show_titles_and_how_the_answer_was_made(run: Run) -> None:
    shown = run("recommend", "1", "-n", "3").stdout
    assert "Story" in shown
    assert "as trained, from" in shown
    assert "Story" in run("similar", "101").stdout
    assert "Drama films" in run("clusters").stdout
    assert "planted" in run("models").stdout
    assert "Story" in run("predict", "1", "101", "102").stdout


def test_filters_and_profiles_take_effect(run: Run) -> None:
    page = printed(
        run(
            *("recommend", "--profile", "101=5", "--genre", "Horror", "--min-year", "1960"),
            *("-n", "5", "--json"),
        )
    )
    assert len(page["items"]) == 5
    for item in page["items"]:
        assert "Horror" in item["genres"]
        assert item["year"] >= 1960


def test_search_finds_by_words_and_counts_all(run: Run) -> None:
    page = printed(run("search", "story", "drama", "-n", "40", "--json"))
    assert page["total_size"] == 30
    assert len({item["item_id"] for item in page["items"]}) == 30


def test_pages_neither_repeat_nor_skip(client: Client) -> None:
    paged = [
        item.item_id for page in client.recommend_pages("2", page_size=7) for item in page.items
    ]
    one_page = client.recommend("2", page_size=200)
    assert paged == [item.item_id for item in one_page.items]
    assert len(set(paged)) == len(paged)


def test_a_repeated_request_id_is_answered_and_changes_nothing(client: Client, user: str) -> None:
    one = client.submit_rating(user, "101", 4.0)
    two = client.submit_rating(user, "101", 4.0, request_id=one.request_id)
    assert two.replayed
    assert two.user_revision == one.user_revision
    with pytest.raises(errors.RequestIdReused):
        client.submit_rating(user, "101", 3.0, request_id=one.request_id)


def test_each_entry_of_a_batch_has_its_own_result(client: Client, user: str) -> None:
    stored, refused = client.batch_submit_ratings(
        [NewRating(user, "101", 4.0), NewRating(user, "no such film", 4.0)]
    )
    assert not isinstance(stored, FoldinError)
    assert isinstance(refused, errors.ItemNotFound)
    page, error = client.batch_recommend([Query(user, page_size=3), Query("\n")])
    assert not isinstance(page, FoldinError)
    assert len(page.items) == 3
    assert isinstance(error, errors.InvalidField)


def test_the_asynchronous_client_answers_the_same(client: Client, address: str) -> None:
    conditions = Filter(exclude_genres=("Drama",))

    async def ask() -> object:
        async with AsyncClient(address, timeout_s=20.0) as other:
            return await other.recommend("3", filter=conditions, explain=True)

    assert asyncio.run(ask()) == client.recommend("3", filter=conditions, explain=True)


def test_a_list_of_servers_is_asked_in_turn(address: str, client: Client) -> None:
    servers = f"{address},{address}"
    with Client(servers, timeout_s=20.0) as several:
        assert several.recommend("3") == client.recommend("3")

    async def ask() -> object:
        async with AsyncClient(servers, timeout_s=20.0) as several:
            return await several.recommend("3")

    assert asyncio.run(ask()) == client.recommend("3")


def test_the_server_is_serving_its_model(client: Client) -> None:
    assert client.is_serving()
    serving_model = client.get_serving_model()
    assert serving_model.model.state == "current"
    assert client.list_models().current_version == serving_model.model.version


def test_a_new_item_is_found_rated_hidden_and_shown_again(
    run: Run, client: Client, user: str
) -> None:
    item_id = f"new-{user}"
    title = f"Night of {user}"
    arguments = ("--title", title, "--genre", "Horror", "--year", "2024", "--tag", "dark")
    assert printed(run("items", "add", item_id, *arguments, "--json"))["trained_item_ids"] == []
    found = printed(run("item", title, "--json"))
    assert (found["item_id"], found["available"], found["source"]) == (item_id, True, "content")
    lately = Filter(min_year=2024)
    assert item_id in [one.item_id for one in client.recommend(user, filter=lately).items]
    client.submit_rating(user, item_id, 5.0)
    assert item_id not in [one.item_id for one in client.recommend(user, filter=lately).items]
    printed(run("items", "hide", title, "--json"))
    assert item_id not in [one.item_id for one in client.list_items(title).items]
    everything = client.list_items(title, include_unavailable=True)
    assert item_id in [one.item_id for one in everything.items]
    printed(run("items", "show", item_id, "--json"))
    assert client.get_item(item_id).available
    assert run("items", "hide", "no such film").exit_code == 3


def test_a_title_with_its_year_names_every_item_that_has_both(
    run: Run, client: Client, user: str
) -> None:
    years = {f"{user}-{k}": 1997 if k % 10 == 9 else 1996 for k in range(40)}
    client.upsert_items(
        [NewItem(item_id, f"Love of {item_id}", year=year) for item_id, year in years.items()]
    )
    result = run("item", f"love of {user} (1997)", "--json")
    assert result.exit_code == 3
    named = json.loads(result.stderr)["metadata"]
    assert set(named) == {item_id for item_id, year in years.items() if year == 1997}


def test_a_rating_is_taken_back_only_where_there_is_one(run: Run, user: str) -> None:
    printed(run("rate", user, "101", "5", "--json"))
    for item in ("no such film", "102"):
        result = run("unrate", user, item, "--json")
        assert (result.exit_code, result.stdout) == (3, "")
        assert json.loads(result.stderr)["error"] == "RATING_NOT_FOUND"
    assert [r["item_id"] for r in printed(run("user", user, "--json"))["ratings"]] == ["101"]


def test_a_rating_taken_back_again_by_the_same_request_changes_nothing(run: Run, user: str) -> None:
    request = ("--request-id", str(uuid4()))
    printed(run("rate", user, "101", "5", "--json"))
    assert "unrated" in run("unrate", user, "101", *request).stdout
    again = printed(run("unrate", user, "101", *request, "--json"))
    assert (again["replayed"], again["superseded"]) == (True, False)
    printed(run("rate", user, "101", "4", "--json"))
    assert "nothing changed: a later rating" in run("unrate", user, "101", *request).stdout
    assert [r["value"] for r in printed(run("user", user, "--json"))["ratings"]] == [4.0]
    mistyped = run("unrate", user, "no such film", "--request-id", str(uuid4()))
    assert mistyped.exit_code == 3
