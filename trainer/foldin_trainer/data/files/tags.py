"""Reads MovieLens' tags: one line for each user, item and tag.

The result says which items have which tag, not who gave it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from foldin_trainer.data.files.columns import read_header
from foldin_trainer.data.files.lines import CONTROLS, NumberedRow, csv_rows, split_rows
from foldin_trainer.data.items import Item, plain_tag

FEWEST_USERS: Final = 2  # a tag of a single user says more about the user than about items

Tags = Mapping[str, tuple[str, ...]]
"""The tags of every item that has some, sorted, in lower case."""


def read_tags_csv(path: Path) -> Tags:
    """Reads tags.csv of ml-latest-small, 20m, 25m and 32m. Raises DataError."""
    return _common_tags(csv_rows(path, ("userId", "movieId", "tag"), read_header(path)))


def read_tags_dat(path: Path) -> Tags:
    """Reads tags.dat of ml-10m: user::item::tag::time, in UTF-8. Raises DataError."""
    return _common_tags(split_rows(path, "utf-8", "::", 4))


def with_tags(catalog: Mapping[str, Item], tags: Tags) -> dict[str, Item]:
    """Returns the items with their tags; tags of unknown items are left out."""
    return {id_: replace(item, tags=tags.get(id_, ())) for id_, item in catalog.items()}


def _common_tags(rows: Iterable[NumberedRow]) -> Tags:
    """Returns the tags that at least two users gave, to any items."""
    givers: dict[str, set[str]] = defaultdict(set)
    bearers: dict[str, set[str]] = defaultdict(set)
    for _, (user_id, item_id, text, *_) in rows:
        tag = plain_tag(CONTROLS.sub(" ", text))
        if tag:
            givers[tag].add(user_id)
            bearers[item_id].add(tag)
    kept = {tag for tag, users in givers.items() if len(users) >= FEWEST_USERS}
    return {item_id: tuple(sorted(tags & kept)) for item_id, tags in bearers.items()}
