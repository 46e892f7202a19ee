"""Item tables read from the files of MovieLens' several editions, or one's own.

They are small (at most some hundred thousand lines), so they are read line by line.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet

from foldin_trainer.data.checks import id_problem
from foldin_trainer.data.columns import (
    NOT_UTF8,
    Header,
    find_column,
    is_parquet,
    not_utf8,
    parquet_names,
    read_header,
)
from foldin_trainer.data.errors import DataError
from foldin_trainer.data.items import Item, split_genres, split_title

Catalogue = dict[str, Item]
Entry = tuple[int, str, Item]
Row = tuple[int, list[str]]

GENRES_100K: Final = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]+")  # they would reach a terminal
RECBOLE: Final = ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq")


def read_movies_csv(path: Path) -> Catalogue:
    """movies.csv of ml-latest-small, 20m, 25m and 32m."""
    rows = _csv_rows(path, ("movieId", "title", "genres"), read_header(path))
    return _collect(path, _titled(rows))


def read_movies_dat(path: Path, encoding: str) -> Catalogue:
    """movies.dat of ml-1m (Latin-1) and ml-10m (UTF-8): id::title (year)::genres."""
    return _collect(path, _titled(_split_rows(path, encoding, "::", 3)))


def read_u_item(path: Path) -> Catalogue:
    """u.item of the original ml-100k: Latin-1, separated by bars, 19 genre flags at the end."""
    return _collect(path, _u_item(path))


def read_recbole_items(path: Path) -> Catalogue:
    """ml-100k.item as recbole carries it: tab separated, year apart, genres separated by spaces."""
    return _collect(path, _recbole(path))


def read_item_table(path: Path) -> Catalogue:
    """One's own CSV or Parquet of id and, where there are such columns, title, genres and year.

    Genres are separated by bars; without a year column, "(1995)" at a title's end is the year.
    """
    parquet = is_parquet(path)
    header = Header(parquet_names(path), "") if parquet else read_header(path)
    wanted = [
        find_column(path, header.names, kind, None, required=kind == "id") or ""
        for kind in ("id", "title", "genres", "year")
    ]
    rows = _parquet_rows(path, wanted) if parquet else _csv_rows(path, wanted, header)
    return _collect(path, _own(path, rows, has_year=bool(wanted[3])))


def _titled(rows: Iterable[Row]) -> Iterator[Entry]:
    for line, (id_, titled, genres) in rows:
        title, year = split_title(titled)
        yield line, id_, Item(title, split_genres(genres), year)


def _u_item(path: Path) -> Iterator[Entry]:
    for line, fields in _split_rows(path, "latin-1", "|", 5 + len(GENRES_100K)):
        title, year = split_title(fields[1])
        flagged = (g for g, flag in zip(GENRES_100K, fields[5:], strict=True) if flag == "1")
        yield line, fields[0], Item(title, split_genres("|".join(flagged)), year)


def _recbole(path: Path) -> Iterator[Entry]:
    for line, (id_, titled, released, genres) in _csv_rows(path, RECBOLE, read_header(path)):
        # A few of its years are other words ("V", "unkonwn"); the title then holds the year.
        title, in_title = split_title(titled)
        year = int(released) if released.isdigit() else in_title
        yield line, id_, Item(title, split_genres(genres, " "), year)


def _own(path: Path, rows: Iterable[Row], *, has_year: bool) -> Iterator[Entry]:
    for line, (id_, *texts, year_text) in rows:
        titled, genres = (CONTROLS.sub(" ", text) for text in texts)
        title, year = (titled.strip(), None) if has_year else split_title(titled)
        yield line, id_, Item(title, split_genres(genres), year or _year(path, line, year_text))


def _collect(path: Path, entries: Iterable[Entry]) -> Catalogue:
    catalogue: Catalogue = {}
    for line, id_, item in entries:
        problem = "stands twice" if id_ in catalogue else id_problem(id_)
        if problem is not None:
            shown = f" {id_!r}" if id_ in catalogue else ""
            raise DataError(path, line, f"the item id{shown} {problem}", "correct or remove it")
        catalogue[id_] = item
    if not catalogue:
        raise DataError(path, None, "there is no item in the file", "give a table of items")
    return catalogue


def _csv_rows(path: Path, wanted: Sequence[str], header: Header) -> Iterator[Row]:
    """The wanted columns of each line; "" for a column named ""."""
    for name in wanted:
        if name and name not in header.names:
            there = ", ".join(map(repr, header.names))
            raise DataError(path, 1, f"no column {name!r} among {there}", "restore the file")
    positions = [header.names.index(name) if name else -1 for name in wanted]
    width = len(header.names)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=header.delimiter)
        line = 1
        try:
            for row in reader:
                if row and line > 1:
                    _check_width(path, line, row, width)
                    yield line, [row[p] if p >= 0 else "" for p in positions]
                line = reader.line_num + 1
        except UnicodeDecodeError as failure:
            raise not_utf8(path, failure) from None


def _split_rows(path: Path, encoding: str, separator: str, width: int) -> Iterator[Row]:
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            row = raw.decode(encoding).split(separator)
        except UnicodeDecodeError:
            raise DataError(path, number, f"the line is not {encoding}", NOT_UTF8) from None
        if raw:
            _check_width(path, number, row, width)
            yield number, row


def _parquet_rows(path: Path, wanted: Sequence[str]) -> Iterator[Row]:
    table = pa.parquet.read_table(path, columns=[name for name in wanted if name])
    for number, row in enumerate(table.to_pylist(), start=1):
        yield number, [_text(row[name]) if name else "" for name in wanted]


def _text(value: object) -> str:
    if isinstance(value, list):
        return "|".join(map(str, value))
    return "" if value is None else str(value)


def _check_width(path: Path, line: int, row: list[str], width: int) -> None:
    if len(row) != width:
        remedy = "correct or remove the line"
        raise DataError(path, line, f"the line has {len(row)} fields, not {width}", remedy)


def _year(path: Path, line: int, text: str) -> int | None:
    text = text.strip().removesuffix(".0")
    if not text or text == "nan":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise DataError(path, line, f"the year {text!r} is not a year", "correct or empty it")
    return int(text)
