"""Reads files of (user, item) pairs without ratings; every pair counts as 1.

Columns, separators and ids follow the rules of rating files (`rating_tables`).
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from foldin_model.arrays import Rows

from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.checks import csv_fields, id_problem
from foldin_trainer.data.files.columns import (
    Columns,
    column_texts,
    find_column,
    is_parquet,
    parquet_names,
    read_header,
)
from foldin_trainer.data.files.rating_tables import RatingColumns

REMEDY = "correct or remove the line"


def has_ratings(path: Path, columns: Columns) -> bool:
    """Returns whether the file has a rating column. Raises DataError if a named one is missing."""
    return find_column(path, _names(path), "rating", columns.rating, required=False) is not None


def read_pairs(path: Path, columns: Columns) -> RatingColumns:
    """Returns every pair of the file, with the value 1 and no time; other columns are not read.

    Raises DataError with the first invalid line, and for a file without pairs.
    """
    names = _names(path)
    user = find_column(path, names, "user", columns.user) or ""
    item = find_column(path, names, "item", columns.item) or ""
    try:
        table = _table(path, user, item)
    except pa.ArrowInvalid as failure:
        _refuse_first(path, names, user, item)
        raise DataError(path, None, str(failure), "correct the file") from None
    if not table.num_rows:
        raise DataError(path, None, "there is no pair in the file", "give a file with some")
    user_ids, users = _coded(table.column(user))
    item_ids, items = _coded(table.column(item))
    if any(id_problem(id_) for ids in (user_ids, item_ids) for id_ in ids):
        _refuse_first(path, names, user, item)
    return RatingColumns(
        tuple(map(str, user_ids)),
        tuple(map(str, item_ids)),
        users,
        items,
        np.ones(table.num_rows),
        None,
    )


def _names(path: Path) -> tuple[str, ...]:
    return parquet_names(path) if is_parquet(path) else read_header(path).names


def _table(path: Path, user: str, item: str) -> pa.Table:
    if is_parquet(path):
        table = pa.parquet.read_table(path, columns=[user, item])
        return pa.table({name: column_texts(table.column(name)) for name in table.column_names})
    header = read_header(path)
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(column_names=header.names, skip_rows=1),
        parse_options=pa.csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={user: pa.string(), item: pa.string()},
            include_columns=[user, item],
            null_values=[],
        ),
    )


def _coded(column: pa.ChunkedArray) -> tuple[list[str | None], Rows]:
    encoded = pa.chunked_array([column.combine_chunks()]).dictionary_encode().combine_chunks()
    if encoded.null_count:
        return [None], np.zeros(0, np.int32)
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int32)


def _refuse_first(path: Path, names: tuple[str, ...], user: str, item: str) -> None:
    """Raises DataError for the first line whose ids are not valid."""
    if is_parquet(path):
        rows = pa.parquet.read_table(path, columns=[user, item]).to_pylist()
        pairs = ((place, row[user], row[item]) for place, row in enumerate(rows, start=1))
        for row, *ids in pairs:
            for kind, id_ in zip(("user", "item"), ids, strict=True):
                wrong = id_problem(None if id_ is None else str(id_))
                if wrong is not None:
                    raise DataError(path, row, f"the {kind} id {wrong}", REMEDY, unit="row")
        return
    positions = (names.index(user), names.index(item))
    delimiter = read_header(path).delimiter
    for fields in csv_fields(path, delimiter, positions, len(names), header=True, skip=0):
        for kind, id_ in (("user", fields.user), ("item", fields.item)):
            wrong = id_problem(id_)
            if wrong is not None:
                raise DataError(path, fields.where, f"the {kind} id {wrong}", REMEDY)
