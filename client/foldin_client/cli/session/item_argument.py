"""Finds the item that an argument names: by its id, else by a title that only one item has."""

import re
from typing import TYPE_CHECKING

from foldin_client.cli.session.failure import AmbiguousTitle
from foldin_client.cli.session.list_options import LARGEST_PAGE
from foldin_client.errors import Details, ItemNotFound
from foldin_client.values import Filter, Item

if TYPE_CHECKING:
    from foldin_client.client import Client

MAX_SEARCHED = 1_000  # items that have the words; whole titles come first
MAX_NAMED = 20  # candidates in an error
_YEAR = re.compile(r"\((\d{4})\)\s*$")


def find_item(client: "Client", text: str) -> Item:
    """Returns the item with this id or title.

    "The Matrix", "matrix, the" and "Matrix, The (1999)" are one title. Raises ItemNotFound, or
    AmbiguousTitle with the candidates.
    """
    try:
        return client.get_item(text)
    except ItemNotFound:
        candidates, count = _with_words(client, text)
    exact = [item for item in candidates if _words(item.title) == _words(text)]
    chosen = exact or candidates
    if not chosen:
        raise ItemNotFound(
            f"no item has the id or title {text!r}; `foldin search` finds titles by their words",
            Details(resource_type="foldin.v1.Item", resource_name=text),
        )
    if len(chosen) > 1:
        several = f"{len(exact) or count:,} items"
        if len(chosen) > MAX_NAMED:
            several += f", the first {MAX_NAMED} of which follow"
        raise AmbiguousTitle(
            f"{text!r} is the title of {several}; name one by its id:",
            Details({item.item_id: _with_year(item) for item in chosen[:MAX_NAMED]}),
        )
    return chosen[0]


def _with_words(client: "Client", text: str) -> tuple[list[Item], int]:
    """Returns items with the words and, where given, the year of the text; and their number."""
    query = " ".join(_words(text))
    if not query:
        return [], 0
    year = int(found[1]) if (found := _YEAR.search(text)) else None
    of_year = Filter(min_year=year, max_year=year)
    items: list[Item] = []
    for page in client.list_items_pages(query, page_size=LARGEST_PAGE, filter=of_year):
        items += page.items
        if len(items) >= MAX_SEARCHED:
            break
    return items, page.total_size


def _words(title: str) -> list[str]:
    return sorted(re.findall(r"\w+", _YEAR.sub("", title).casefold()))


def _with_year(item: Item) -> str:
    return item.title if item.year is None else f"{item.title} ({item.year})"
