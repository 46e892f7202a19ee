"""The commands that change what is kept of a user: rate and unrate."""

import click

from foldin_client.cli.answers import WrittenRating
from foldin_client.cli.items import find_item
from foldin_client.cli.sessions import Session, asks_server
from foldin_client.errors import ItemNotFound
from foldin_client.values import Written

REQUEST_ID = click.option(
    "--request-id",
    metavar="UUID",
    help="Sent again with the same one within the hour, nothing changes.",
)


@click.command(context_settings={"ignore_unknown_options": True})  # a VALUE may be below 0
@click.argument("user")
@click.argument("item")
@click.argument("value", type=float)
@REQUEST_ID
@asks_server
def rate(session: Session, *, user: str, item: str, value: float, request_id: str | None) -> None:
    """Store that USER rates ITEM, an id or a title, with VALUE."""
    found = find_item(session.client, item)
    written = session.client.submit_rating(user, found.item_id, value, request_id=request_id)
    session.show(_answer(user, found.item_id, found.title, value, written))


@click.command()
@click.argument("user")
@click.argument("item")
@REQUEST_ID
@asks_server
def unrate(session: Session, *, user: str, item: str, request_id: str | None) -> None:
    """Take USER's rating of ITEM, an id or a title, back."""
    try:
        found = find_item(session.client, item)
        item_id, title = found.item_id, found.title
    except ItemNotFound:
        item_id, title = item, ""  # users keep ratings of items that the model lacks
    written = session.client.delete_rating(user, item_id, request_id=request_id)
    session.show(_answer(user, item_id, title, None, written))


def _answer(
    user: str, item_id: str, title: str, value: float | None, written: Written
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
