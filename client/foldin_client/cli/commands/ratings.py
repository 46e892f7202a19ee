"""The commands that write ratings: rate and unrate."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from foldin_client.cli.output.command_results import WrittenRating
from foldin_client.cli.session.failure import NotRated
from foldin_client.cli.session.item_argument import find_item
from foldin_client.cli.session.session import Session, server_command
from foldin_client.errors import Details, ItemNotFound
from foldin_client.values import WriteResult

if TYPE_CHECKING:
    from foldin_client.client import Client

MAX_RATINGS: Final = 10_000  # of one user
REQUEST_ID = click.option(
    "--request-id",
    metavar="UUID",
    help="With the same UUID within an hour, a repeated command changes nothing.",
)


@click.command(context_settings={"ignore_unknown_options": True})  # a VALUE may be below 0
@click.argument("user")
@click.argument("item")
@click.argument("value", type=float)
@REQUEST_ID
@server_command
def rate(session: Session, *, user: str, item: str, value: float, request_id: str | None) -> None:
    """Store VALUE as USER's rating of ITEM, an id or a title."""
    found = find_item(session.client, item)
    written = session.client.submit_rating(user, found.item_id, value, request_id=request_id)
    session.show(_answer(user, found.item_id, found.title, value, written))


@click.command()
@click.argument("user")
@click.argument("item")
@REQUEST_ID
@server_command
def unrate(session: Session, *, user: str, item: str, request_id: str | None) -> None:
    """Delete USER's rating of ITEM, an id or a title."""
    client = session.client
    before = client.get_user_state(user, max_ratings=MAX_RATINGS)
    titles = {rated.item_id: rated.title for rated in before.ratings}
    item_id, title = (item, titles[item]) if item in titles else _named(client, item)
    rated = item_id in titles
    if not rated and request_id is None:
        raise _not_rated(user, item)
    written = client.delete_rating(user, item_id, request_id=request_id)
    if not rated and not written.replayed:  # a repeated request finds the rating deleted by itself
        raise _not_rated(user, item)
    if rated and written.user_revision <= before.serving_info.user_revision:
        written = replace(written, superseded=True)  # repeated after the item was rated again
    session.show(_answer(user, item_id, title, None, written))


def _named(client: "Client", text: str) -> tuple[str, str]:
    """Returns id and title of an item; what the catalog lacks counts as an id without a title."""
    try:
        found = find_item(client, text)
    except ItemNotFound:
        return text, ""
    return found.item_id, found.title


def _not_rated(user: str, item: str) -> NotRated:
    return NotRated(
        f"{user} has no rating of {item!r}; `foldin user {user}` lists what there is",
        Details(resource_type="foldin.v1.Rating", resource_name=item),
    )


def _answer(
    user: str, item_id: str, title: str, value: float | None, written: WriteResult
) -> WrittenRating:
    return WrittenRating(
        user_id=user,
        item_id=item_id,
        title=title,
        value=value,
        user_revision=written.user_revision,
        replayed=written.replayed,
        superseded=written.superseded,
        request_id=written.request_id,
        serving_info=written.serving_info,
    )
