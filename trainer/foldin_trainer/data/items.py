"""Attributes of items: title, genres, year, tags and embedding.

MovieLens' conventions are parsed here; `item_tables` reads the files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final, Self

from foldin_model.arrays import Floats, Integers

YEAR_IN_TITLE: Final = re.compile(
    r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)(?:\s*\((?:V|TV)\))?\s*$"
)
NO_GENRES: Final = frozenset({"", "(no genres listed)", "unknown"})


@dataclass(frozen=True, slots=True)
class Item:
    """The attributes of one item. A missing title is ""; a missing year or embedding is None."""

    title: str = ""
    genres: tuple[str, ...] = ()
    year: int | None = None
    tags: tuple[str, ...] = ()
    embedding: Floats | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ItemTable:
    """The attributes of all items, each column aligned to `Ratings.item_ids`.

    Tags are in lower case; empty `tags` stand for no tag of any item. `embeddings` are vectors
    (length,) float32 of any origin, all of one length, or None for an item without one.
    """

    titles: tuple[str, ...]
    genres: tuple[tuple[str, ...], ...]
    years: tuple[int | None, ...]
    tags: tuple[tuple[str, ...], ...] = ()
    embeddings: tuple[Floats | None, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.tags:
            object.__setattr__(self, "tags", ((),) * len(self.titles))
        if not self.embeddings:
            object.__setattr__(self, "embeddings", (None,) * len(self.titles))

    def __len__(self) -> int:
        return len(self.titles)

    @classmethod
    def align(cls, item_ids: Sequence[str], catalog: Mapping[str, Item]) -> Self:
        """Returns the table of those items in that order, blank where `catalog` has none."""
        blank = Item()
        found = [catalog.get(item_id, blank) for item_id in item_ids]
        return cls(
            tuple(item.title for item in found),
            tuple(item.genres for item in found),
            tuple(item.year for item in found),
            tuple(item.tags for item in found),
            tuple(item.embedding for item in found),
        )

    def take(self, rows: Integers) -> Self:
        """Returns the table of the items in these rows, in that order."""
        columns = {column.name: getattr(self, column.name) for column in fields(self)}
        picked = rows.tolist()
        return replace(
            self, **{name: tuple(known[row] for row in picked) for name, known in columns.items()}
        )


def split_title(title: str) -> tuple[str, int | None]:
    """Returns the title without its year, and the (first) year: "Heat (1995)" is ("Heat", 1995)."""
    title = title.strip()
    match = YEAR_IN_TITLE.search(title)
    if match is None or match.start() == 0:
        return title, None
    return title[: match.start()], int(match[1])


def split_genres(text: str, separator: str = "|") -> tuple[str, ...]:
    """Returns the genres of a field, each once, in their order; none for "(no genres listed)"."""
    parts = (part.strip() for part in text.split(separator))
    return tuple(dict.fromkeys(part for part in parts if part not in NO_GENRES))


def split_tags(text: str) -> tuple[str, ...]:
    """Returns the tags of a field separated by bars, each once: "Space|space opera " is two."""
    return tuple(dict.fromkeys(filter(None, map(plain_tag, text.split("|")))))


def plain_tag(text: str) -> str:
    """Returns the tag in lower case with single spaces."""
    return " ".join(text.lower().split())
