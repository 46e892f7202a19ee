"""Finds the columns of a file by name: those the caller gives, else common names.

It looks at headers only; `rating_tables` and `item_tables` read the values.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from foldin_trainer.data.errors import DataError

ALIASES: Final = {
    "user": ("user", "userid", "useridx", "uid", "customer", "customerid", "reviewerid"),
    "item": ("item", "itemid", "movieid", "iid", "product", "productid", "asin", "bookid"),
    "rating": ("rating", "ratings", "score", "stars", "value", "overall"),
    "timestamp": ("timestamp", "time", "ts", "unixreviewtime", "ratedat", "eventtime"),
    "id": ("id", "item", "itemid", "movieid", "product", "productid", "asin", "bookid"),
    "title": ("title", "name", "itemname", "movietitle"),
    "genres": ("genres", "genre", "categories", "category", "class"),
    "tags": ("tags", "tag", "keywords", "keyword"),
    "embedding": ("embedding", "embeddings", "vector"),
    "year": ("year", "releaseyear"),
    "user id": ("id", "user", "userid", "useridx", "uid", "customer", "customerid", "reviewerid"),
}
NAMEABLE: Final = frozenset({"user", "item", "rating", "timestamp"})
NOT_UTF8: Final = "convert the file to UTF-8, for example with `iconv -f windows-1252 -t utf-8`"
MAX_EXACT: Final = float(2**53)  # below it, every whole number has a float of its own
UTF16: Final = "convert the file to UTF-8, for example with `iconv -f utf-16 -t utf-8`"


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns in a rating file; None stands for any common name."""

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a CSV file with a header, and their separator."""

    names: tuple[str, ...]
    delimiter: str


def read_header(path: Path) -> Header:
    """Returns the header of a CSV file; the separator is a comma, a semicolon or a tab.

    Raises DataError for an empty file and for one that is not UTF-8.
    """
    with path.open("rb") as file:
        raw = file.readline()
    try:
        first = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        remedy = UTF16 if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else NOT_UTF8
        raise DataError(path, 1, "the header is not UTF-8", remedy) from None
    if not first.strip():
        raise DataError(path, 1, "the file is empty", "give a file with a header and ratings")
    if "\r" in first.rstrip("\r\n"):
        remedy = "convert the line ends, for example with `tr '\\r' '\\n'`"
        raise DataError(path, 1, "the lines end in CR alone", remedy)
    delimiter = max(",;\t", key=first.count)
    names = next(csv.reader([first], delimiter=delimiter))
    return Header(tuple(name.strip() for name in names), delimiter)


def is_parquet(path: Path) -> bool:
    """Returns whether the file's name ends as a Parquet file; all others are read as CSV."""
    return path.suffix.lower() in {".parquet", ".pq"}


def parquet_names(path: Path) -> tuple[str, ...]:
    """Returns the columns of a Parquet file. Raises DataError for any other file."""
    try:
        return tuple(pa.parquet.read_schema(path).names)
    except pa.ArrowInvalid:
        remedy = "give a Parquet file, or end a CSV's name in .csv"
        raise DataError(path, None, "this is not a Parquet file", remedy) from None


def column_texts(column: pa.Array) -> pa.Array:
    """Returns a Parquet column as text, in which a whole number is "6" even if it is a float.

    Writers turn whole numbers into floats where one is missing, so types differ between files.
    """
    plain = column.cast(pa.string())
    if not pa.types.is_floating(column.type):
        return plain
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), MAX_EXACT))
    numbers = pc.if_else(whole, column, pa.scalar(None, column.type)).cast(pa.int64())
    return pc.coalesce(numbers.cast(pa.string()), plain)


def not_utf8(path: Path, failure: UnicodeDecodeError) -> DataError:
    """Returns the error for a file that is not UTF-8, with the first line that is not."""
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            try:
                raw.decode()
            except UnicodeDecodeError:
                return DataError(path, line, "the line is not UTF-8", NOT_UTF8)
    return DataError(path, None, f"the file is not UTF-8 ({failure.reason})", NOT_UTF8)


def find_column(
    path: Path, names: Sequence[str], kind: str, given: str | None, *, required: bool = True
) -> str | None:
    """Returns the column of that kind: the one given, else the first with a common name.

    Raises DataError if a given or required column is missing, or two have the name.
    """
    if given is None:
        wanted = ALIASES[kind]
        found = next(
            (name for alias in wanted for name in names if _normalized(name) == alias), None
        )
    else:
        found = given if given in names else None
    if found is None and (required or given is not None):
        missing = f"no column {given!r}" if given is not None else f"no {kind} column"
        there = ", ".join(map(repr, names))
        named = f"name it with --{kind}-column or " if kind in NAMEABLE else ""
        raise DataError(
            path, 1, f"{missing} among {there}", f"{named}rename it to {ALIASES[kind][0]}"
        )
    if found is not None and names.count(found) > 1:
        raise DataError(path, 1, f"two columns are named {found!r}", "rename one of them")
    return found


def _normalized(name: str) -> str:
    return name.partition(":")[0].lower().replace("_", "").replace(" ", "").replace("-", "")
