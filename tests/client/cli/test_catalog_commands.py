"""New items and availability from the command line: requests, messages, refusals."""

import json
from pathlib import Path

import pytest
from foldin.v1 import catalog_pb2 as pb
from foldin.v1.ratings_pb2 import SOURCE_CONTENT
from foldin_client import Client, NewItem
from scripted import Run, Scripted, invalid, item_not_found


def script_upsert(server: Scripted, *trained: str) -> None:
    answer = pb.UpsertItemsResponse(
        overlay_revision=7, model_version="v1", trained_item_ids=trained
    )
    server.script("UpsertItems", answer)


def sent(server: Scripted) -> list[pb.NewItem]:
    requests = map(pb.UpsertItemsRequest.FromString, server.sent("UpsertItems"))
    return [item for request in requests for item in request.items]


def write(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "items.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def test_one_item_is_added_by_its_options(server: Scripted, run: Run) -> None:
    script_upsert(server)
    result = run(
        *("items", "add", "night", "--title", "Night of the Void", "--genre", "Horror"),
        *("--genre", "Sci-Fi", "--year", "2024", "--tag", "dark"),
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "added 1 item: every server recommends them within a second\n"
    assert sent(server) == [
        pb.NewItem(
            item_id="night",
            title="Night of the Void",
            genres=["Horror", "Sci-Fi"],
            year=2024,
            tags=["dark"],
        )
    ]


def test_many_items_are_added_from_a_file(server: Scripted, run: Run, tmp_path: Path) -> None:
    script_upsert(server, "b")
    path = write(
        tmp_path,
        "item_id,title,genres,year,tags",
        'a,"Void, The",Horror|Sci-Fi,2024,dark| slow ',
        "b,Bright,,,",
    )
    result = run("items", "add", "--file", path)
    assert result.exit_code == 0, result.stderr
    assert "added 1 item" in result.stdout
    assert "trained with b" in result.stdout
    first, second = sent(server)
    assert (first.title, list(first.genres), list(first.tags)) == (
        "Void, The",
        ["Horror", "Sci-Fi"],
        ["dark", "slow"],
    )
    assert not second.HasField("year")


def test_a_long_file_is_sent_a_thousand_at_a_time(
    server: Scripted, run: Run, tmp_path: Path
) -> None:
    script_upsert(server)
    path = write(tmp_path, "item_id,title", *(f"i{k},Title {k}" for k in range(2_001)))
    document = json.loads(run("items", "add", "--file", path, "--json").stdout)
    assert document["overlay_revision"] == 7
    assert len(document["item_ids"]) == 2_001
    assert len(server.sent("UpsertItems")) == 3
    assert len(sent(server)) == 2_001


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("item_id,name", "a,A"), "lacks title"),
        (("item_id,title,colour", "a,A,red"), "has 'colour'"),
        (("item_id,title,year", "a,A,soon"), ":2: 'soon' is no year"),
        (("item_id,title,year", "a,A,99999999999"), ":2: '99999999999' is no year from 1 to 9999"),
        (("item_id,title,year", "a,A,1999", "b,B,0"), ":3: '0' is no year"),
        (("item_id,title", f"a,{'A' * 200_000}"), ":2 can't be read: field larger than"),
        (("item_id,title", "a,A,B"), ":2 has more fields"),
        (("item_id,title",), "items.csv has no items"),
    ],
)
def test_an_invalid_file_is_refused_before_anything_is_sent(
    server: Scripted, run: Run, tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    result = run("items", "add", "--file", write(tmp_path, *lines))
    assert result.exit_code == 2
    assert message in result.stderr
    assert sent(server) == []


def test_items_to_add_are_named_by_options_or_by_a_file(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "item_id,title")
    for arguments in ((), ("a",), ("--title", "A"), ("a", "--title", "A", "--file", path)):
        assert run("items", "add", *arguments).exit_code == 2


def test_a_refused_item_fails_with_the_reason(server: Scripted, run: Run) -> None:
    server.script("UpsertItems", invalid("items[0].title"))
    result = run("items", "add", "a", "--title", "A", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"] == "INVALID_FIELD"


def test_items_are_hidden_by_id_or_title_and_shown_again(server: Scripted, run: Run) -> None:
    heat = pb.Item(item_id="6", title="Heat", available=True)
    server.script("GetItem", item_not_found("heat"))
    server.script("ListItems", pb.ListItemsResponse(items=[heat], total_size=1))
    server.script("SetItemAvailability", pb.SetItemAvailabilityResponse(overlay_revision=8))
    result = run("items", "hide", "heat")
    assert (result.exit_code, result.stdout) == (0, "1 item hidden\n")
    server.script("GetItem", pb.GetItemResponse(item=heat))
    assert run("items", "show", "6").stdout == "1 item shown again\n"
    requests = map(pb.SetItemAvailabilityRequest.FromString, server.sent("SetItemAvailability"))
    assert [(list(one.item_ids), one.available) for one in requests] == [
        (["6"], False),
        (["6"], True),
    ]


def test_an_item_named_twice_is_hidden_and_counted_once(server: Scripted, run: Run) -> None:
    server.script("GetItem", pb.GetItemResponse(item=pb.Item(item_id="2", title="Two")))
    server.script("SetItemAvailability", pb.SetItemAvailabilityResponse(overlay_revision=8))
    assert run("items", "hide", "2", "2", "two").stdout == "1 item hidden\n"
    (request,) = map(pb.SetItemAvailabilityRequest.FromString, server.sent("SetItemAvailability"))
    assert list(request.item_ids) == ["2"]


def test_the_command_item_shows_that_an_item_is_hidden(server: Scripted, run: Run) -> None:
    server.script(
        "GetItem",
        pb.GetItemResponse(item=pb.Item(item_id="6", title="Heat", source=SOURCE_CONTENT)),
    )
    shown = run("item", "6").stdout
    assert "no: hidden by `foldin items hide`" in shown
    assert "its content alone" in shown


def test_the_embedding_of_a_new_item_is_sent(server: Scripted) -> None:
    script_upsert(server)
    with Client(server.address) as client:
        added = client.upsert_items([NewItem("a", "A", embedding=(0.5, 1.5))])
    assert added.overlay_revision == 7
    assert list(sent(server)[0].embedding) == [0.5, 1.5]
