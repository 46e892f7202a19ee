"""A published split, read from a training file and a test file.

Files are CSV or Parquet of user, item and, optionally, rating; columns, ids and values follow the
rules of `foldin_trainer.data`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from foldin_model.arrays import Rows
from foldin_model.scale import Scale

from foldin_trainer.data import (
    Columns,
    DataError,
    Dataset,
    ItemTable,
    LoadReport,
    Ratings,
    UserTable,
)
from foldin_trainer.data.files.duplicates import last_of_each_pair
from foldin_trainer.data.files.item_tables import ItemsById, read_item_table
from foldin_trainer.data.files.pairs import has_ratings, read_pairs
from foldin_trainer.data.files.rating_tables import RatingColumns, read_ratings
from foldin_trainer.data.files.user_tables import read_user_table
from foldin_trainer.data.loader import rating_file
from foldin_trainer.data.users import Attributes
from foldin_trainer.evaluation.protocols.trials import MASKING, Trial
from foldin_trainer.metrics.cases import make_cases

PREFERENCE: Final = Scale(0.0, 1.0)  # of pairs without ratings, which count as 1


@dataclass(frozen=True, slots=True)
class SplitFiles:
    """The files of a published split; `mask` holds (user, item) pairs never to be recommended."""

    train: Path
    test: Path
    mask: Path | None = None
    items: Path | None = None
    columns: Columns = field(default_factory=Columns)
    scale: Scale | None = None
    users: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GivenSplit:
    """The training part as a data set, the trial, and notes for readers of the results."""

    dataset: Dataset
    trial: Trial
    masking: str
    notes: tuple[str, ...]


def load_split(files: SplitFiles) -> GivenSplit:
    """Reads the split of those files; pairs count as 1 if either file has no rating column.

    Of two ratings of one item by one user in one file the last is kept. Raises DataError.
    """
    valued = all(has_ratings(path, files.columns) for path in (files.train, files.test))
    train, test = (_read(path, files, valued=valued) for path in (files.train, files.test))
    catalog: ItemsById = {} if files.items is None else read_item_table(files.items)
    attributes: Attributes = {} if files.users is None else read_user_table(files.users)
    users = tuple(dict.fromkeys((*train.user_ids, *test.user_ids)))
    items = tuple(dict.fromkeys((*train.item_ids, *test.item_ids, *catalog)))
    scale = (files.scale or _spanned(files, train, test)) if valued else PREFERENCE
    known, hidden = (_ratings(part, users, items, scale) for part in (train, test))
    people = UserTable.align(users, attributes)
    mask = None if files.mask is None else read_pairs(files.mask, files.columns)
    masked = {} if mask is None else _rows_by_user(mask, items)
    cases = tuple(
        replace(case, masked_rows=masked.get(case.user_id, case.masked_rows))
        for case in make_cases(known, hidden)
    )
    return GivenSplit(
        Dataset(
            known,
            ItemTable.align(items, catalog),
            replace(_report(files, known, train, catalog), attributes=tuple(people.attributes)),
            people,
        ),
        Trial(known, cases, valued),
        MASKING if mask is None else f"{MASKING[:-1]}, and {_pairs(files.mask, mask)}.",
        tuple(_notes(Trial(known, cases, valued))),
    )


def _read(path: Path, files: SplitFiles, *, valued: bool) -> RatingColumns:
    if not valued:
        return read_pairs(path, files.columns)
    return read_ratings(rating_file(path, files.columns), files.scale)


def _spanned(files: SplitFiles, *parts: RatingColumns) -> Scale:
    low = min(float(part.values.min()) for part in parts)
    high = max(float(part.values.max()) for part in parts)
    if low == high:
        remedy = "give the scale with --scale LOW:HIGH, or leave the column out"
        raise DataError(
            files.train, None, f"every rating is {low:g}, so the scale is unknown", remedy
        )
    return Scale(low, high)


def _ratings(
    read: RatingColumns, users: Sequence[str], items: Sequence[str], scale: Scale
) -> Ratings:
    """Returns the ratings with the vocabularies of both files, of each pair the last."""
    ratings = Ratings(
        tuple(users),
        tuple(items),
        _translated(read.user_ids, users)[read.users],
        _translated(read.item_ids, items)[read.items],
        read.values,
        read.timestamps,
        scale,
    )
    kept = last_of_each_pair(read)
    return ratings if kept is None else ratings.take(kept)


def _translated(ids: Sequence[str], vocabulary: Sequence[str]) -> Rows:
    places = {id_: place for place, id_ in enumerate(vocabulary)}
    return np.array([places[id_] for id_ in ids], np.int32)


def _rows_by_user(mask: RatingColumns, items: Sequence[str]) -> dict[str, Rows]:
    """Returns the masked rows of each user, in increasing order, without unknown items."""
    places = {id_: place for place, id_ in enumerate(items)}
    rows = np.array([places.get(id_, -1) for id_ in mask.item_ids], np.int32)[mask.items]
    order = np.argsort(mask.users, kind="stable")
    starts = np.searchsorted(mask.users[order], np.arange(1, len(mask.user_ids)))
    groups = np.split(rows[order], starts)
    return {
        user_id: np.unique(group[group >= 0]).astype(np.int32)
        for user_id, group in zip(mask.user_ids, groups, strict=True)
    }


def _pairs(path: Path | None, mask: RatingColumns) -> str:
    return f"the {len(mask.users):,} pairs of {path}"


def _notes(trial: Trial) -> list[str]:
    notes = []
    if not trial.valued:
        notes.append("There are no values: nothing is predicted, and every pair counts the same.")
    learned = sum(np.isin(case.hidden_rows, case.given_rows).sum() for case in trial.cases)
    if learned:
        notes.append(f"{learned:,} test pairs are in the training file too; no list can hold them.")
    masked = sum(np.isin(case.hidden_rows, case.masked_rows).sum() for case in trial.cases)
    if masked:
        notes.append(f"{masked:,} test pairs are in the mask; no list can hold them.")
    unknown = sum(len(case.given_rows) == 0 for case in trial.cases)
    if unknown:
        notes.append(f"{unknown:,} test users have no training rating: they get the popular list.")
    return notes


def _report(
    files: SplitFiles, known: Ratings, train: RatingColumns, catalog: ItemsById
) -> LoadReport:
    times = known.timestamps
    return LoadReport(
        name=f"{files.train.stem} and {files.test.stem}",
        path=files.train,
        rows=len(train.users),
        duplicates=len(train.users) - len(known),
        ratings=len(known),
        users=len(train.user_ids),
        rated_items=len(train.item_ids),
        items=len(known.item_ids),
        untitled=sum(item_id not in catalog for item_id in train.item_ids),
        mean=float(known.values.mean()),
        scale=known.scale,
        scale_origin="inferred" if files.scale is None else "given",
        first=None if times is None else int(times.min()),
        last=None if times is None else int(times.max()),
    )
