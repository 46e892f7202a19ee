"""Loads a data set from a name, a folder or a file, and validates it.

Every problem is a DataError; nothing is written.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from foldin_model.scale import Scale

from foldin_trainer.data.cache import EDITIONS, dataset_folder
from foldin_trainer.data.dataset import Dataset, LoadReport, ScaleOrigin
from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.columns import (
    Columns,
    find_column,
    is_parquet,
    parquet_names,
    read_header,
)
from foldin_trainer.data.files.duplicates import last_of_each_pair
from foldin_trainer.data.files.item_tables import ItemsById, read_item_table
from foldin_trainer.data.files.layouts import find_layout
from foldin_trainer.data.files.rating_tables import RatingColumns, RatingFile, read_ratings
from foldin_trainer.data.files.user_tables import read_user_table
from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.users import Attributes, UserTable


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    ratings: RatingFile
    catalog: ItemsById
    scale: Scale | None
    scale_origin: ScaleOrigin
    users: Attributes = field(default_factory=dict)


def load_dataset(
    source: str | Path,
    *,
    scale: Scale | None = None,
    items: Path | None = None,
    users: Path | None = None,
    columns: Columns | None = None,
    data_dir: Path | None = None,
) -> Dataset:
    """Returns the validated data set of that name or path.

    `source` is the name of a fetched MovieLens edition, a folder with its files, or a CSV or
    Parquet file of ratings. For such a file `items` is a table of items and `users` one of users,
    `columns` names columns without a common name, and `scale` is inferred from the ratings if None.
    Of two ratings of one item by one user the last by time is kept, without times the last in the
    file. Raises DataError.
    """
    found = _find(source, scale, items, columns or Columns(), data_dir)
    if users is not None:
        found = replace(found, users=read_user_table(users))
    read = read_ratings(found.ratings, found.scale)
    kept = last_of_each_pair(read)
    known = dict.fromkeys(read.item_ids) | dict.fromkeys(found.catalog)
    every = Ratings(
        read.user_ids,
        tuple(known),
        read.users,
        read.items,
        read.values,
        read.timestamps,
        found.scale or _inferred_scale(found.ratings.path, read),
    )
    ratings = every if kept is None else every.take(kept)
    table = ItemTable.align(ratings.item_ids, found.catalog)
    people = UserTable.align(ratings.user_ids, found.users)
    report = _report(found, ratings, len(read.item_ids), len(every) - len(ratings))
    report = replace(report, tagged=sum(map(bool, table.tags)), attributes=tuple(people.attributes))
    return Dataset(ratings, table, report, people)


def _find(
    source: str | Path,
    scale: Scale | None,
    items: Path | None,
    columns: Columns,
    data_dir: Path | None,
) -> _Source:
    path = Path(source)
    if str(source) in EDITIONS and not path.exists():
        path = dataset_folder(str(source), data_dir)
        if not path.is_dir():
            remedy = f"get it with `foldin data fetch {source}`"
            raise DataError(path, None, f"the data set {source} has not been fetched", remedy)
    if not path.exists():
        remedy = f"give a file, a folder or one of {', '.join(EDITIONS)}"
        raise DataError(path, None, "there is no such file or data set", remedy)
    if path.is_file():
        catalog = {} if items is None else read_item_table(items)
        origin: ScaleOrigin = "inferred" if scale is None else "given"
        return _Source(path.stem, rating_file(path, columns), catalog, scale, origin)
    layout = find_layout(path)
    catalog = layout.read_items() if items is None else read_item_table(items)
    origin = "MovieLens" if scale is None else "given"
    known = layout.read_users()
    return _Source(path.name, layout.ratings, catalog, scale or layout.scale, origin, known)


def rating_file(path: Path, columns: Columns) -> RatingFile:
    """Finds the columns of a CSV or Parquet file of ratings. Raises DataError."""
    if is_parquet(path):
        names, delimiter = parquet_names(path), ","
    else:
        header = read_header(path)
        names, delimiter = header.names, header.delimiter
    return RatingFile(
        path,
        names,
        find_column(path, names, "user", columns.user) or "",
        find_column(path, names, "item", columns.item) or "",
        find_column(path, names, "rating", columns.rating) or "",
        find_column(path, names, "timestamp", columns.timestamp, required=False),
        delimiter=delimiter,
        quoted_lines=True,
    )


def _inferred_scale(path: Path, read: RatingColumns) -> Scale:
    low, high = float(read.values.min()), float(read.values.max())
    if low == high:
        remedy = "give the scale with --scale LOW:HIGH"
        raise DataError(path, None, f"every rating is {low:g}, so the scale is unknown", remedy)
    return Scale(low, high)


def _report(source: _Source, ratings: Ratings, rated: int, duplicates: int) -> LoadReport:
    times = ratings.timestamps
    known = (item_id in source.catalog for item_id in ratings.item_ids[:rated])
    return LoadReport(
        name=source.name,
        path=source.ratings.path,
        rows=len(ratings) + duplicates,
        duplicates=duplicates,
        ratings=len(ratings),
        users=len(ratings.user_ids),
        rated_items=rated,
        items=len(ratings.item_ids),
        untitled=rated - sum(known),
        mean=float(ratings.values.mean()),
        scale=ratings.scale,
        scale_origin=source.scale_origin,
        first=None if times is None else int(times.min()),
        last=None if times is None else int(times.max()),
    )
