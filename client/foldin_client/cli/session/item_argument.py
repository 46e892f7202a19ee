"""How an argument names an item: by its id, else by a title that only one item has."""

import re
from typing import TYPE_CHECKING

from foldin_client.cli.session.list_options import LARGEST_PAGE
from foldin_client.cli.session.session import AmbiguousTitle
from foldin_client.errors import Details, ItemNotFound
from foldin_client.values import Filter, Item

if TYPE_CHECKING:
    from foldin_client.client import Client

SEARCHED = 1_000  # items that have the words; whole titles come first
NAMED = 20  # of several candidates
_YEAR = re.compile(r"\((\d{4})\)\s*$")


def find_item(client: "Client", text: str) -> Item:
    """The item of this id or title.

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
        if len(chosen) > NAMED:
            several += f", the first {NAMED} of which follow"
        raise AmbiguousTitle(
            f"{text!r} is the title of {several}; name one by its id:",
            Details({item.item_id: _with_year(item) for item in chosen[:NAMED]}),
        )
    return chosen[0]


def _with_words(client: "Client", text: str) -> tuple[list[Item], int]:
    """Items that have the words of the text and, where it ends with one, its year; and how many."""
    query = " ".join(_words(text))
    if not query:
        return [], 0
    year = int(found[1]) if (found := _YEAR.search(text)) else None
    of_year = Filter(min_year=year, max_year=year)
    items: list[Item] = []
    for page in client.list_items_pages(query, page_size=LARGEST_PAGE, filter=of_year):
        items += page.items
        if len(items) >= SEARCHED:
            break
    return items, page.total_size


def _words(title: str) -> list[str]:
    return sorted(re.findall(r"\w+", _YEAR.sub("", title).casefold()))


def _with_year(item: Item) -> str:
    return item.title if item.year is None else f"{item.title} ({item.year})"
