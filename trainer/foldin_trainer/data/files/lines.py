"""Reads the rows of small tables, each with its line number in the file.

For items, users and tags; `rating_tables` reads ratings, of which there are many.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet

from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.columns import (
    NOT_UTF8,
    Header,
    column_texts,
    is_parquet,
    not_utf8,
    parquet_names,
    read_header,
)

NumberedRow = tuple[int, list[str]]

CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]+")  # they would reach a terminal


def table_header(path: Path) -> Header:
    """Returns the columns of a CSV or Parquet table; Parquet has no delimiter. Raises DataError."""
    return Header(parquet_names(path), "") if is_parquet(path) else read_header(path)


def table_rows(path: Path, wanted: Sequence[str], header: Header) -> Iterator[NumberedRow]:
    """Yields the wanted columns of each row of a CSV or Parquet table; "" for a column named ""."""
    return parquet_rows(path, wanted) if is_parquet(path) else csv_rows(path, wanted, header)


def csv_rows(path: Path, wanted: Sequence[str], header: Header) -> Iterator[NumberedRow]:
    """Yields the wanted columns of each line; "" for a column named "". Raises DataError."""
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


def split_rows(path: Path, encoding: str, separator: str, width: int) -> Iterator[NumberedRow]:
    """Yields the fields of each line, split at `separator`. Raises DataError."""
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            row = raw.decode(encoding).split(separator)
        except UnicodeDecodeError:
            raise DataError(path, number, f"the line is not {encoding}", NOT_UTF8) from None
        if raw:
            _check_width(path, number, row, width)
            yield number, row


def parquet_rows(path: Path, wanted: Sequence[str]) -> Iterator[NumberedRow]:
    """Yields the wanted columns of each row as text, with its number from 1."""
    table = pa.parquet.read_table(path, columns=[name for name in wanted if name])
    columns = [_filled(table.column(name)) if name else [""] * table.num_rows for name in wanted]
    for number, row in enumerate(zip(*columns, strict=True), start=1):
        yield number, list(row)


def _filled(column: pa.ChunkedArray) -> list[str]:
    """Returns the column as text: "" for a missing value, the parts of a list joined by bars."""
    values = (
        column.to_pylist() if pa.types.is_nested(column.type) else column_texts(column).to_pylist()
    )
    return [_joined(value) for value in values]


def _joined(value: object) -> str:
    if isinstance(value, list):
        return "|".join(map(str, value))
    return "" if value is None else str(value)


def _check_width(path: Path, line: int, row: list[str], width: int) -> None:
    if len(row) != width:
        remedy = "correct or remove the line"
        raise DataError(path, line, f"the line has {len(row)} fields, not {width}", remedy)
