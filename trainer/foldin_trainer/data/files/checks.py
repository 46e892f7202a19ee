"""The rules that one rating must follow, and the search for a file's first rating that does not.

`rating_tables` reads fast and knows only that a block is invalid; this module says what and where.
"""

import csv
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from foldin_model.ids import MAX_ID_BYTES
from foldin_model.scale import Scale

from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.columns import NOT_UTF8, is_parquet

MILLISECONDS: Final = 100_000_000_000  # as seconds, the year 5138
MAX_AHEAD_S: Final = 300  # how far a clock may be wrong, the same as in the store


@dataclass(frozen=True, slots=True)
class RatingFields:
    """One rating as text; `where` is its line or row in the file."""

    where: int
    user: str | None
    item: str | None
    rating: str | None = None
    timestamp: str | None = None


def rating_problem(fields: RatingFields, scale: Scale | None) -> tuple[str, str] | None:
    """Returns the problem of a rating and its remedy, or None for a valid one."""
    for kind, id_ in (("user id", fields.user), ("item id", fields.item)):
        wrong = id_problem(id_)
        if wrong is not None:
            return f"the {kind} {wrong}", "correct or remove the line"
    if fields.rating is None or not fields.rating.strip():
        return "the rating is missing", "fill it in or remove the line"
    value = _number(fields.rating)
    if value is None:
        return f"the rating {_shown(fields.rating)} is not a number", "correct or remove the line"
    if not math.isfinite(value):
        return f"the rating is {fields.rating.strip()}", "give a number or remove the line"
    if scale is not None and value not in scale:
        remedy = "correct the line or give the scale with --scale LOW:HIGH"
        return f"the rating {value:g} is off the scale {scale.low:g} to {scale.high:g}", remedy
    return None if fields.timestamp is None else _time_problem(fields.timestamp)


def latest_second() -> float:
    """Returns the latest time that a rating may have, in seconds since 1970; as in the store."""
    return time.time() + MAX_AHEAD_S


def _time_problem(text: str) -> tuple[str, str] | None:
    seconds = _number(text)
    if seconds is not None and 0 <= seconds <= latest_second():
        return None
    remedy = "give seconds since 1970"
    if seconds is not None and MILLISECONDS <= seconds <= MILLISECONDS * 1000:
        remedy += "; this looks like milliseconds"
    elif seconds is not None and 0 < seconds < MILLISECONDS:
        return f"the timestamp {_shown(text)} lies in the future", "correct or remove the line"
    return f"the timestamp {_shown(text)} is not a time", remedy


def id_problem(value: str | None) -> str | None:
    """Returns what is wrong with an id, or None for a valid one."""
    if not value:
        return "is empty"
    if not value.isprintable() and any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value):
        return f"{_shown(value)} has control characters"
    size = len(value.encode(errors="surrogateescape"))
    if size > MAX_ID_BYTES:
        return f"{_shown(value)} has {size} bytes, more than {MAX_ID_BYTES}"
    return None


def first_invalid(
    path: Path, rows: Iterable[RatingFields], scale: Scale | None
) -> DataError | None:
    """Returns the error for the first invalid rating, or None if all are valid."""
    unit: Literal["line", "row"] = "row" if is_parquet(path) else "line"
    for fields in rows:
        found = rating_problem(fields, scale)
        if found is not None:
            return DataError(path, fields.where, *found, unit=unit)
    return None


def csv_fields(
    path: Path, delimiter: str, positions: tuple[int, ...], width: int, *, header: bool, skip: int
) -> Iterator[RatingFields]:
    """Yields the ratings of a CSV file after the first `skip`, each with its line; slow.

    `positions` are those of user, item, rating and, if there is one, timestamp. Raises DataError
    for a line with another number of fields and for one that is not UTF-8.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        if header:
            next(reader)
        rows = filter(None, reader)
        for _ in islice(rows, skip):
            pass
        line = reader.line_num + 1
        for row in reader:
            if row:
                yield _rating_fields(path, line, row, positions, width)
            line = reader.line_num + 1


def _rating_fields(
    path: Path, line: int, row: list[str], positions: tuple[int, ...], width: int
) -> RatingFields:
    if any("\udc80" <= c <= "\udcff" for field in row if not field.isascii() for c in field):
        raise DataError(path, line, "the line is not UTF-8", NOT_UTF8)
    if len(row) != width:
        remedy = "correct or remove the line"
        raise DataError(path, line, f"the line has {len(row)} fields, not {width}", remedy)
    return RatingFields(line, *(row[position] for position in positions))


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
