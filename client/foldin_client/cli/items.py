"""How an argument names an item: by its id, else by a title that only one item has."""

import re
from typing import TYPE_CHECKING

from foldin_client.cli.sessions import AmbiguousTitle
from foldin_client.errors import Details, ItemNotFound
from foldin_client.values import Item

if TYPE_CHECKING:
    from foldin_client.client import Client

CANDIDATES = 20
_YEAR = re.compile(r"\((\d{4})\)\s*$")


def find_item(client: "Client", text: str) -> Item:
    """The item of this id or title.

    "The Matrix", "matrix, the" and "Matrix, The (1999)" are one title. Raises ItemNotFound, or
    AmbiguousTitle with the candidates.
    """
    try:
        return client.get_item(text)
    except ItemNotFound:
        candidates = _with_words(client, text)
    exact = [item for item in candidates if _words(item.title) == _words(text)]
    chosen = exact or candidates
    if not chosen:
        raise ItemNotFound(
            f"no item has the id or title {text!r}; `foldin search` finds titles by their words",
            Details(resource_type="foldin.v1.Item", resource_name=text),
        )
    if len(chosen) > 1:
        raise AmbiguousTitle(
            f"{text!r} is the title of several items; name one by its id:",
            Details({item.item_id: _with_year(item) for item in chosen}),
        )
    return chosen[0]


def _with_words(client: "Client", text: str) -> list[Item]:
    """Items that have the words of the text and, where it ends with one, its year."""
    year = _YEAR.search(text)
    query = " ".join(_words(text))
    if not query:
        return []
    page = client.list_items(query, page_size=CANDIDATES)
    return [item for item in page.items if year is None or item.year == int(year[1])]


def _words(title: str) -> list[str]:
    return sorted(re.findall(r"\w+", _YEAR.sub("", title).casefold()))


def _with_year(item: Item) -> str:
    return item.title if item.year is None else f"{item.title} ({item.year})"
