"""The options of every command that lists items: filter and count."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

import click

from foldin_client.values import Filter, ItemPage, ScoredPage

PageT = TypeVar("PageT", ScoredPage, ItemPage)
PageT_co = TypeVar("PageT_co", covariant=True)

LARGEST_PAGE = 200
LARGEST_NUMBER = 2**31 - 1  # the fields of requests have 32 bits
LAST_YEAR = 9999


class Fetch(Protocol[PageT_co]):
    """A function that fetches one page of a list."""

    def __call__(self, *, page_size: int, page_token: str) -> PageT_co: ...


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of a Filter to a command, and passes it as `filter`."""

    @click.option("--genre", "genres", multiple=True, help="Only of this genre; may be repeated.")
    @click.option(
        "--exclude-genre",
        "excluded_genres",
        multiple=True,
        help="Not of this genre; may be repeated.",
    )
    @click.option(
        "--exclude",
        "excluded_ids",
        multiple=True,
        metavar="ID",
        help="Not this item; may be repeated.",
    )
    @click.option("--min-year", type=click.IntRange(0, LAST_YEAR), help="From this year on.")
    @click.option("--max-year", type=click.IntRange(0, LAST_YEAR), help="Up to this year.")
    @click.option(
        "--min-rating-count",
        type=click.IntRange(0, LARGEST_NUMBER),
        default=0,
        help="With at least this many ratings.",
    )
    @functools.wraps(command)
    def wrapper(
        *args: object,
        genres: tuple[str, ...],
        excluded_genres: tuple[str, ...],
        excluded_ids: tuple[str, ...],
        min_year: int | None,
        max_year: int | None,
        min_rating_count: int,
        **kwargs: object,
    ) -> None:
        chosen = Filter(
            include_genres=genres,
            exclude_genres=excluded_genres,
            exclude_item_ids=excluded_ids,
            min_year=min_year,
            max_year=max_year,
            min_rating_count=min_rating_count,
        )
        command(*args, filter=chosen, **kwargs)

    return wrapper


def count_option(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --count to a command, and passes it as `count`."""
    return click.option(
        "-n",
        "--count",
        type=click.IntRange(min=1),
        default=10,
        show_default=True,
        help="How many items.",
    )(command)


def first_items(count: int, fetch: Fetch[PageT]) -> PageT:
    """Returns the first `count` items as one page, from as many requests as that takes."""
    page = fetch(page_size=min(count, LARGEST_PAGE), page_token="")
    while page.next_page_token and len(page.items) < count:
        left = min(count - len(page.items), LARGEST_PAGE)
        more = fetch(page_size=left, page_token=page.next_page_token)
        page = replace(more, items=page.items + more.items)
    return page
