"""Reads rating files fast: CSV and Parquet, block by block, into vocabularies and arrays.

Arrow parses the blocks; memory is bounded by the arrays. `checks` searches for the invalid line
only after a block has failed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from foldin_model.arrays import Doubles, Integers, Rows
from foldin_model.scale import Scale

from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.checks import (
    RatingFields,
    csv_fields,
    first_invalid,
    id_problem,
    latest_second,
)
from foldin_trainer.data.files.columns import column_texts, is_parquet

BLOCK_BYTES: Final = 16 << 20
BLOCK_ROWS: Final = 1 << 19


@dataclass(frozen=True, slots=True)
class RatingFile:
    """A file of ratings: its path, its columns and how to parse them.

    `names` are all its columns in order; a CSV file without `header` has its names only here.
    """

    path: Path
    names: tuple[str, ...]
    user: str
    item: str
    rating: str
    timestamp: str | None = None
    delimiter: str = ","
    header: bool = True
    quoted_lines: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that are read: user, item, rating and, if there is one, timestamp."""
        columns = (self.user, self.item, self.rating)
        return columns if self.timestamp is None else (*columns, self.timestamp)


@dataclass(frozen=True, slots=True, eq=False)
class RatingColumns:
    """All ratings of a file in its order, with duplicates; the fields are those of Ratings."""

    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    users: Rows
    items: Rows
    values: Doubles
    timestamps: Integers | None


class _Invalid(Exception):
    """A block holds an invalid rating."""


@dataclass(slots=True)
class _Vocabulary:
    positions: dict[str, int] = field(default_factory=dict)
    codes: list[Rows] = field(default_factory=list)

    def add(self, column: pa.Array) -> None:
        """Adds a block of ids, checking new ones. Raises _Invalid."""
        encoded = column.dictionary_encode()
        if encoded.null_count:
            raise _Invalid
        known = len(self.positions)
        ids = encoded.dictionary.to_pylist()
        places = [self.positions.setdefault(id_, len(self.positions)) for id_ in ids]
        if any(id_problem(id_) for id_, place in zip(ids, places, strict=True) if place >= known):
            raise _Invalid
        self.codes.append(np.array(places, np.int32)[encoded.indices.to_numpy()])

    def joined(self) -> Rows:
        """Returns the codes of all blocks and forgets them."""
        codes, self.codes = self.codes, []
        return np.concatenate(codes)


@dataclass(slots=True)
class _ValidBlocks:
    """The blocks read so far, all of them valid."""

    scale: Scale | None
    users: _Vocabulary = field(default_factory=_Vocabulary)
    items: _Vocabulary = field(default_factory=_Vocabulary)
    values: list[Doubles] = field(default_factory=list)
    times: list[Integers] = field(default_factory=list)

    def add(self, block: pa.RecordBatch) -> None:
        """Adds a block of the wanted columns. Raises _Invalid."""
        self.users.add(block.column(0))
        self.items.add(block.column(1))
        times = [_seconds(column) for column in block.columns[3:]]
        self.values.append(_values(block.column(2), self.scale))
        self.times += times

    def columns(self) -> RatingColumns:
        """Returns the ratings of all blocks."""
        return RatingColumns(
            tuple(self.users.positions),
            tuple(self.items.positions),
            self.users.joined(),
            self.items.joined(),
            np.concatenate(self.values),
            np.concatenate(self.times) if self.times else None,
        )


def read_ratings(file: RatingFile, scale: Scale | None) -> RatingColumns:
    """Returns every rating of the file, validated and, if a scale is given, within it.

    Raises DataError with the first invalid line, and for a file without ratings.
    """
    reading = _ValidBlocks(scale)
    try:
        for block in _parquet_blocks(file) if is_parquet(file.path) else _csv_blocks(file):
            if block.num_rows:
                reading.add(block)
    except (_Invalid, pa.ArrowInvalid) as failure:
        valid = sum(map(len, reading.values))
        found = first_invalid(file.path, _row_by_row(file, valid), scale)
        problem = str(failure) or "the file changed while it was read"
        raise found or DataError(file.path, None, problem, "correct the file") from None
    if not reading.values:
        raise DataError(file.path, None, "there is no rating in the file", "give a file with some")
    return reading.columns()


def _csv_blocks(file: RatingFile) -> Iterator[pa.RecordBatch]:
    types = {file.user: pa.string(), file.item: pa.string(), file.rating: pa.float64()}
    if file.timestamp is not None:
        types[file.timestamp] = pa.float64()
    with pa.csv.open_csv(
        file.path,
        read_options=pa.csv.ReadOptions(
            block_size=BLOCK_BYTES, column_names=file.names, skip_rows=int(file.header)
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=file.delimiter, newlines_in_values=file.quoted_lines
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=types, include_columns=file.wanted, null_values=[]
        ),
    ) as reader:
        yield from reader


def _parquet_blocks(file: RatingFile) -> Iterator[pa.RecordBatch]:
    with pa.parquet.ParquetFile(file.path) as parquet:
        for block in parquet.iter_batches(BLOCK_ROWS, columns=list(file.wanted)):
            user, item, *numbers = _plain_columns(file, block)
            cast = [
                column_texts(user),
                column_texts(item),
                *(column.cast(pa.float64()) for column in numbers),
            ]
            yield pa.RecordBatch.from_arrays(cast, names=file.wanted)


def _plain_columns(file: RatingFile, block: pa.RecordBatch) -> list[pa.Array]:
    """Returns the wanted columns, dates as seconds since 1970."""
    columns = [block.column(name) for name in file.wanted]
    if file.timestamp is not None and pa.types.is_temporal(columns[3].type):
        columns[3] = columns[3].cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    return columns


def _values(column: pa.Array, scale: Scale | None) -> Doubles:
    values: Doubles = column.to_numpy(zero_copy_only=False)
    low, high = (-np.inf, np.inf) if scale is None else (scale.low, scale.high)
    if not (np.isfinite(values) & (values >= low) & (values <= high)).all():
        raise _Invalid
    return values


def _seconds(column: pa.Array) -> Integers:
    seconds: Doubles = column.to_numpy(zero_copy_only=False)
    if not ((seconds >= 0) & (seconds <= latest_second())).all():
        raise _Invalid
    return seconds.astype(np.int64)


def _row_by_row(file: RatingFile, skip: int) -> Iterator[RatingFields]:
    """Yields the ratings after the first `skip`, one by one as text."""
    if not is_parquet(file.path):
        positions = tuple(file.names.index(name) for name in file.wanted)
        width = len(file.names)
        yield from csv_fields(
            file.path, file.delimiter, positions, width, header=file.header, skip=skip
        )
        return
    with pa.parquet.ParquetFile(file.path) as parquet:
        row = 0
        for block in parquet.iter_batches(BLOCK_ROWS, columns=list(file.wanted)):
            row += block.num_rows
            if row <= skip:
                continue
            columns = [column_texts(column).to_pylist() for column in _plain_columns(file, block)]
            for place, values in enumerate(zip(*columns, strict=True), row - block.num_rows + 1):
                yield RatingFields(place, *(value or "" for value in values))
