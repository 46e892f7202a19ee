"""The commands that read recommendations, predictions and ratings: nothing is stored."""

from dataclasses import replace

import click

from foldin_client.cli.output.command_results import TitledPrediction, TitledPredictions
from foldin_client.cli.session.item_argument import find_item
from foldin_client.cli.session.list_options import (
    LARGEST_NUMBER,
    count_option,
    filter_options,
    first_items,
)
from foldin_client.cli.session.session import Session, server_command
from foldin_client.values import Filter, Rating, ScoredPage


class RatingArgument(click.ParamType[tuple[str, float]]):
    """A rating as ITEM=VALUE; a title may have equals signs itself."""

    name = "ITEM=VALUE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        item, _, number = str(value).rpartition("=")
        try:
            rating = item, float(number)
        except ValueError:
            self.fail(f"{value!r} is not ITEM=VALUE, such as 318=4.5", param, ctx)
        if not item:
            self.fail(f"{value!r} names no item; write ITEM=VALUE, such as 318=4.5", param, ctx)
        return rating


@click.command()
@click.argument("user", default="")
@count_option
@filter_options
@click.option("--why", is_flag=True, help="Show the ratings that each item is recommended for.")
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Trade score for variety: 0 is none, 1 is variety alone.",
)
@click.option(
    "--max-per-cluster",
    type=click.IntRange(0, LARGEST_NUMBER),
    default=0,
    help="At most so many items of one cluster; 0 is no limit.",
)
@click.option("--include-rated", is_flag=True, help="Also show items that the user has rated.")
@click.option(
    "--known", is_flag=True, help="Fail for an unknown user, instead of showing popular items."
)
@click.option(
    "--profile",
    multiple=True,
    type=RatingArgument(),
    help="A rating for this answer only, not stored; may be repeated. USER is then optional.",
)
@server_command
def recommend(
    session: Session,
    *,
    user: str,
    count: int,
    filter: Filter,  # noqa: A002
    why: bool,
    diversity: float,
    max_per_cluster: int,
    include_rated: bool,
    known: bool,
    profile: tuple[tuple[str, float], ...],
) -> None:
    """List the items that USER would like best, best first."""
    if not user and not profile:
        raise click.UsageError("Name a USER, or give ratings with --profile ITEM=VALUE.")
    client = session.client
    rated = tuple(Rating(find_item(client, text).item_id, value) for text, value in profile)

    def fetch(*, page_size: int, page_token: str) -> ScoredPage:
        return client.recommend(
            user,
            page_size=page_size,
            page_token=page_token,
            filter=replace(filter, include_rated=include_rated),
            diversity=diversity,
            max_per_cluster=max_per_cluster,
            explain=why,
            require_known_user=known,
            profile=rated,
        )

    session.show(first_items(count, fetch))


@click.command()
@click.argument("item")
@count_option
@filter_options
@server_command
def similar(session: Session, *, item: str, count: int, filter: Filter) -> None:  # noqa: A002
    """List the items most like ITEM, an id or a title."""
    item_id = find_item(session.client, item).item_id

    def fetch(*, page_size: int, page_token: str) -> ScoredPage:
        return session.client.similar_items(
            item_id, page_size=page_size, page_token=page_token, filter=filter
        )

    session.show(first_items(count, fetch))


@click.command()
@click.argument("user")
@click.argument("items", nargs=-1, required=True)
@server_command
def predict(session: Session, *, user: str, items: tuple[str, ...]) -> None:
    """Predict how USER would rate ITEMS, ids or titles."""
    found = [find_item(session.client, text) for text in items]
    answer = session.client.predict_ratings(user, [item.item_id for item in found])
    titled = TitledPredictions(
        user,
        tuple(
            TitledPrediction(p.item_id, item.title, p.predicted_rating, p.rating, p.low, p.high)
            for item, p in zip(found, answer.predictions, strict=True)
        ),
        answer.serving_info,
    )
    session.show(titled)


@click.command()
@click.argument("user")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many of the latest ratings.",
)
@server_command
def user(session: Session, *, user: str, count: int) -> None:
    """List the ratings of USER, latest first."""
    session.show(session.client.get_user_state(user, max_ratings=count))
