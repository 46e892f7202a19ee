"""The commands that read the catalog: search, item, popular, clusters."""

import click

from foldin_client.cli.session.item_argument import find_item
from foldin_client.cli.session.list_options import count_option, filter_options, first_items
from foldin_client.cli.session.session import Session, server_command
from foldin_client.values import Filter, ItemPage, ScoredPage


@click.command()
@click.argument("text", nargs=-1)
@count_option
@filter_options
@server_command
def search(
    session: Session,
    *,
    text: tuple[str, ...],
    count: int,
    filter: Filter,  # noqa: A002
) -> None:
    """List items whose titles have the words of TEXT, best match first."""

    def fetch(*, page_size: int, page_token: str) -> ItemPage:
        return session.client.list_items(
            " ".join(text), page_size=page_size, page_token=page_token, filter=filter
        )

    session.show(first_items(count, fetch))


@click.command()
@click.argument("item")
@server_command
def item(session: Session, *, item: str) -> None:
    """Show one ITEM, by its id or title."""
    session.show(find_item(session.client, item))


@click.command()
@count_option
@filter_options
@server_command
def popular(session: Session, *, count: int, filter: Filter) -> None:  # noqa: A002
    """List the most popular items, as a user without ratings gets them."""

    def fetch(*, page_size: int, page_token: str) -> ScoredPage:
        return session.client.list_popular_items(
            page_size=page_size, page_token=page_token, filter=filter
        )

    session.show(first_items(count, fetch))


@click.command()
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, 50),
    default=5,
    show_default=True,
    help="Typical items to show of each group.",
)
@server_command
def clusters(session: Session, *, count: int) -> None:
    """List groups of items that the same users like."""
    session.show(session.client.list_item_clusters(max_items=count))
