"""Numbers and texts that no request can carry are refused, by field, before anything is sent."""

import asyncio
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from click.testing import CliRunner
from foldin.v1 import catalog_pb2, model_pb2, recommendation_pb2
from foldin_client import AsyncClient, Client, Filter, NewItem, NewRating, Query, errors
from foldin_client.calls.field_limits import WIDE
from foldin_client.cli import main
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from scripted import Scripted

FAR = 99_999_999_999
BROKEN = "\udcff"
EARLY = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.recommend("1", filter=Filter(min_year=FAR)), "filter.min_year"),
        (lambda client: client.recommend("1", max_per_cluster=FAR), "max_per_cluster"),
        (lambda client: client.recommend("1", min_user_revision=2**63), "min_user_revision"),
        (lambda client: client.recommend_pages("1", page_size=-FAR), "page_size"),
        (lambda client: client.batch_recommend([Query("1"), Query(BROKEN)]), "queries[1].user_id"),
        (
            lambda client: client.batch_recommend([Query(filter=Filter(("x", BROKEN)))]),
            "queries[0].filter",
        ),
        (lambda client: client.upsert_items([NewItem("a", "A", year=FAR)]), "items[0].year"),
        (lambda client: client.get_item(BROKEN), "item_id"),
        (lambda client: client.activate_model("v1", epoch=10**5000), "epoch"),
        (lambda client: client.submit_rating("1", "2", 3.0, event_time=EARLY), "event_time"),
        (
            lambda client: client.batch_submit_ratings([NewRating("1", BROKEN, 3.0)]),
            "ratings[0].item_id",
        ),
    ],
)
def test_both_clients_name_the_argument_that_cannot_be_sent(
    server: Scripted, call: Callable[[Client | AsyncClient], object], field: str
) -> None:
    async def ask() -> None:
        async with AsyncClient(server.address) as client:
            call(client)

    with Client(server.address) as client, pytest.raises(errors.InvalidField) as caught:
        call(client)
    with pytest.raises(errors.InvalidField) as caught_async:
        asyncio.run(ask())
    assert caught_async.value.violations == caught.value.violations
    (violation,) = caught.value.violations
    assert violation.field.startswith(field)
    assert str(caught.value) == f"{violation.field}: {violation.description}"
    assert server.requests == []


def test_the_message_names_the_limit(server: Scripted) -> None:
    with Client(server.address) as client, pytest.raises(errors.InvalidField) as caught:
        client.upsert_items([NewItem("a", "A"), NewItem("b", "B", year=2**31)])
    assert str(caught.value) == "items[1].year: is not from -2147483648 to 2147483647"


def test_every_argument_that_cannot_be_sent_is_named(server: Scripted) -> None:
    with Client(server.address) as client, pytest.raises(errors.InvalidField) as caught:
        client.recommend(BROKEN, filter=Filter(min_year=FAR, max_year=FAR))
    assert [violation.field for violation in caught.value.violations] == [
        "user_id",
        "filter.min_year",
        "filter.max_year",
    ]


def test_the_wide_numbers_are_those_of_the_contract() -> None:
    requests = [
        message
        for module in (catalog_pb2, model_pb2, recommendation_pb2)
        for name, message in module.DESCRIPTOR.message_types_by_name.items()
        if name.endswith("Request")
    ]
    wide = {
        field.name
        for request in requests
        for field in _fields(request)
        if field.cpp_type == FieldDescriptor.CPPTYPE_INT64
    }
    assert wide == WIDE


def _fields(message: Descriptor) -> Iterator[FieldDescriptor]:
    """Yields the fields of a message and of its parts, but not those of a Timestamp."""
    for field in message.fields:
        yield field
        part = field.message_type
        if part is not None and part.file.package == message.file.package:
            yield from _fields(part)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("recommend", "5", "--min-year", str(FAR)), ("--min-year", "9999")),
        (("search", "--max-year", str(FAR)), ("--max-year", "9999")),
        (("recommend", "5", "--max-per-cluster", str(FAR)), ("--max-per-cluster", "2147483647")),
        (("items", "add", "a", "--title", "A", "--year", str(FAR)), ("--year", "9999")),
        (("activate", "v1", "--epoch", "9" * 20), ("epoch", str(2**63 - 1))),
    ],
)
def test_a_command_names_the_option_and_the_limit(
    server: Scripted, arguments: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(main, arguments, env={"FOLDIN_ADDRESS": server.address})
    assert result.exit_code == 2
    assert all(text in result.stderr.splitlines()[-1] for text in expected)
    assert server.requests == []


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_closed_output_is_an_error_of_one_line(server: Scripted, form: tuple[str, ...]) -> None:
    server.script("ListItems", catalog_pb2.ListItemsResponse())
    search = shlex.join([sys.executable, "-m", "foldin_client", "search", *form])
    command = f"{search} --address {server.address} >&-"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert result.returncode == 1
    assert result.stderr == "Error: Standard output is closed: the answer can't be printed.\n"
