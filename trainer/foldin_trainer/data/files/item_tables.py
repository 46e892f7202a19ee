"""Reads tables of items: those of the MovieLens editions, and any CSV or Parquet file.

They are small, at most some hundred thousand lines, and are read line by line.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from foldin_model.arrays import Floats

from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.checks import id_problem
from foldin_trainer.data.files.columns import find_column, read_header
from foldin_trainer.data.files.lines import (
    CONTROLS,
    NumberedRow,
    csv_rows,
    split_rows,
    table_header,
    table_rows,
)
from foldin_trainer.data.items import Item, split_genres, split_tags, split_title

ItemsById = dict[str, Item]
NumberedItem = tuple[int, str, Item]

GENRES_100K: Final = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
RECBOLE: Final = ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq")


def read_movies_csv(path: Path) -> ItemsById:
    """Reads movies.csv of ml-latest-small, 20m, 25m and 32m."""
    rows = csv_rows(path, ("movieId", "title", "genres"), read_header(path))
    return _collect(path, _titled(rows))


def read_movies_dat(path: Path, encoding: str) -> ItemsById:
    """Reads movies.dat of ml-1m (Latin-1) and ml-10m (UTF-8): id::title (year)::genres."""
    return _collect(path, _titled(split_rows(path, encoding, "::", 3)))


def read_u_item(path: Path) -> ItemsById:
    """Reads u.item of the original ml-100k: Latin-1, bars, 19 genre flags at the end."""
    return _collect(path, _u_item(path))


def read_recbole_items(path: Path) -> ItemsById:
    """Reads ml-100k.item of recbole: tabs, a year column, genres separated by spaces."""
    return _collect(path, _recbole(path))


def read_item_table(path: Path) -> ItemsById:
    """Reads a CSV or Parquet table of id and, optionally, title, genres, tags, embedding and year.

    Genres, tags and the numbers of an embedding are separated by bars, or lists in Parquet. Without
    a year column, "(1995)" at a title's end is the year. Raises DataError.
    """
    header = table_header(path)
    wanted = [
        find_column(path, header.names, kind, None, required=kind == "id") or ""
        for kind in ("id", "title", "genres", "tags", "embedding", "year")
    ]
    rows = table_rows(path, wanted, header)
    return _collect(path, _own(path, rows, has_year=bool(wanted[-1])))


def _titled(rows: Iterable[NumberedRow]) -> Iterator[NumberedItem]:
    for line, (id_, titled, genres) in rows:
        title, year = split_title(titled)
        yield line, id_, Item(title, split_genres(genres), year)


def _u_item(path: Path) -> Iterator[NumberedItem]:
    for line, fields in split_rows(path, "latin-1", "|", 5 + len(GENRES_100K)):
        title, year = split_title(fields[1])
        flagged = (g for g, flag in zip(GENRES_100K, fields[5:], strict=True) if flag == "1")
        yield line, fields[0], Item(title, split_genres("|".join(flagged)), year)


def _recbole(path: Path) -> Iterator[NumberedItem]:
    for line, (id_, titled, released, genres) in csv_rows(path, RECBOLE, read_header(path)):
        # A few of its years are words ("V", "unkonwn"); the title then holds the year.
        title, in_title = split_title(titled)
        year = int(released) if released.isdigit() else in_title
        yield line, id_, Item(title, split_genres(genres, " "), year)


def _own(path: Path, rows: Iterable[NumberedRow], *, has_year: bool) -> Iterator[NumberedItem]:
    length = 0
    for line, (id_, *texts, numbers, year_text) in rows:
        titled, genres, tags = (CONTROLS.sub(" ", text) for text in texts)
        title, in_title = (titled.strip(), None) if has_year else split_title(titled)
        year = in_title or _year(path, line, year_text)
        embedding = _embedding(path, line, numbers, length)
        length = length if embedding is None else len(embedding)
        yield line, id_, Item(title, split_genres(genres), year, split_tags(tags), embedding)


def _embedding(path: Path, line: int, text: str, length: int) -> Floats | None:
    """Returns the numbers, `length` of them (0 allows any), or None for an empty field."""
    if not text.strip():
        return None
    try:
        numbers = np.array([float(number) for number in text.split("|")], np.float32)
    except ValueError:
        shown = f"the embedding {text[:40]!r} is not numbers"
        raise DataError(path, line, shown, "separate numbers by bars") from None
    if not np.isfinite(numbers).all():
        raise DataError(path, line, "the embedding is not finite", "correct or empty it")
    if length and len(numbers) != length:
        shown = f"the embedding has {len(numbers)} numbers, the ones before have {length}"
        raise DataError(path, line, shown, "give every item as many, or none")
    return numbers


def _collect(path: Path, entries: Iterable[NumberedItem]) -> ItemsById:
    catalog: ItemsById = {}
    for line, id_, item in entries:
        problem = "appears twice" if id_ in catalog else id_problem(id_)
        if problem is not None:
            shown = f" {id_!r}" if id_ in catalog else ""
            raise DataError(path, line, f"the item id{shown} {problem}", "correct or remove it")
        catalog[id_] = item
    if not catalog:
        raise DataError(path, None, "there is no item in the file", "give a table of items")
    return catalog


def _year(path: Path, line: int, text: str) -> int | None:
    text = text.strip().removesuffix(".0")
    if not text or text == "nan":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise DataError(path, line, f"the year {text!r} is not a year", "correct or empty it")
    return int(text)
