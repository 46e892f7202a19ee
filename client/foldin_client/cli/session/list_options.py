"""What every command that lists items shares: which may appear, and how many."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

import click

from foldin_client.values import Filter, ItemPage, ScoredPage

PageT = TypeVar("PageT", ScoredPage, ItemPage)
PageT_co = TypeVar("PageT_co", covariant=True)

LARGEST_PAGE = 200
LARGEST_NUMBER = 2**31 - 1  # that a field of a request carries
LAST_YEAR = 9999


class Fetch(Protocol[PageT_co]):
    """Asks for one page of a list."""

    def __call__(self, *, page_size: int, page_token: str) -> PageT_co: ...


def takes_filter(command: Callable[..., None]) -> Callable[..., None]:
    """The command has the options of a Filter and gets one as `filter`."""

    @click.option("--genre", "genres", multiple=True, help="Only of this genre; may be repeated.")
    @click.option("--exclude-genre", "without", multiple=True, help="None of this genre.")
    @click.option("--exclude", "excluded", multiple=True, metavar="ID", help="Not this item.")
    @click.option("--min-year", type=click.IntRange(0, LAST_YEAR), help="From this year on.")
    @click.option("--max-year", type=click.IntRange(0, LAST_YEAR), help="Up to this year.")
    @click.option(
        "--min-rating-count",
        type=click.IntRange(0, LARGEST_NUMBER),
        default=0,
        help="With at least this many ratings.",
    )
    @functools.wraps(command)
    def filtering(
        *args: object,
        genres: tuple[str, ...],
        without: tuple[str, ...],
        excluded: tuple[str, ...],
        min_year: int | None,
        max_year: int | None,
        min_rating_count: int,
        **kwargs: object,
    ) -> None:
        chosen = Filter(
            include_genres=genres,
            exclude_genres=without,
            exclude_item_ids=excluded,
            min_year=min_year,
            max_year=max_year,
            min_rating_count=min_rating_count,
        )
        command(*args, filter=chosen, **kwargs)

    return filtering


def takes_count(command: Callable[..., None]) -> Callable[..., None]:
    """The command has --count and gets `count`."""
    return click.option(
        "-n",
        "--count",
        type=click.IntRange(min=1),
        default=10,
        show_default=True,
        help="How many items.",
    )(command)


def first(count: int, fetch: Fetch[PageT]) -> PageT:
    """One page of the first `count` items, from as many requests as that takes."""
    page = fetch(page_size=min(count, LARGEST_PAGE), page_token="")
    while page.next_page_token and len(page.items) < count:
        left = min(count - len(page.items), LARGEST_PAGE)
        more = fetch(page_size=left, page_token=page.next_page_token)
        page = replace(more, items=page.items + more.items)
    return page
