"""Reads tables of users: those of the MovieLens editions, and any CSV or Parquet file.

They may hold users without ratings; `users` aligns them to the ratings.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

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
from foldin_trainer.data.users import AGES, Attributes, band, column_words

DEMOGRAPHICS: Final = ("age", "gender", "occupation")
RECBOLE: Final = tuple(f"{name}:token" for name in ("user_id", *DEMOGRAPHICS))


def read_u_user(path: Path) -> Attributes:
    """Reads u.user of the original ml-100k: id|age|gender|occupation|zip code."""
    return _demographics(path, ((n, row[:4]) for n, row in split_rows(path, "latin-1", "|", 5)))


def read_recbole_users(path: Path) -> Attributes:
    """Reads ml-100k.user of recbole, separated by tabs."""
    return _demographics(path, csv_rows(path, RECBOLE, read_header(path)))


def read_users_dat(path: Path) -> Attributes:
    """Reads users.dat of ml-1m: id::gender::age::occupation::zip code, ages as lower limits."""
    rows = split_rows(path, "latin-1", "::", 5)
    return _demographics(
        path, ((line, [id_, age, gender, work]) for line, (id_, gender, age, work, _) in rows)
    )


def read_user_table(path: Path) -> Attributes:
    """Reads a CSV or Parquet table of user ids and columns of words or numbers, of any names.

    Several words in a field are separated by bars; an empty field is unknown. Raises DataError.
    """
    header = table_header(path)
    names = header.names
    id_column = find_column(path, names, "user id", None) or ""
    others = [name for name in names if name != id_column]
    for name in others:
        if names.count(name) > 1 or not name:
            problem = f"two columns are named {name!r}" if name else "a column has no name"
            raise DataError(path, 1, problem, "rename one of them" if name else "name it")
    if not others:
        remedy = "give a column with what is known of them"
        raise DataError(path, 1, f"there is no column besides {id_column!r}", remedy)
    ids, columns = _columns(path, table_rows(path, (id_column, *others), header))
    return {
        CONTROLS.sub(" ", name): dict(zip(ids, column_words(texts), strict=True))
        for name, texts in zip(others, columns, strict=True)
    }


def _demographics(path: Path, rows: Iterable[NumberedRow]) -> Attributes:
    """Returns the attributes from rows of id, age, gender and occupation; codes stay as words."""
    ids, columns = _columns(path, _aged(path, rows))
    return {
        name: {id_: (text,) for id_, text in zip(ids, texts, strict=True)}
        for name, texts in zip(DEMOGRAPHICS, columns, strict=True)
    }


def _aged(path: Path, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    """Yields the rows with MovieLens' age bands in the place of years."""
    for line, (id_, age, *others) in rows:
        if not (age.isascii() and age.isdigit()):
            problem = f"the age {age!r} is not a number of years"
            raise DataError(path, line, problem, "restore the file from the data set")
        yield line, [id_, band(int(age), AGES), *others]


def _columns(path: Path, rows: Iterable[NumberedRow]) -> tuple[list[str], Sequence[Sequence[str]]]:
    """Returns the ids and the other columns, without control characters."""
    known: dict[str, list[str]] = {}
    for line, (id_, *texts) in rows:
        problem = "appears twice" if id_ in known else id_problem(id_)
        if problem is not None:
            shown = f" {id_!r}" if id_ in known else ""
            raise DataError(path, line, f"the user id{shown} {problem}", "correct or remove it")
        known[id_] = [CONTROLS.sub(" ", text) for text in texts]
    if not known:
        raise DataError(path, None, "there is no user in the file", "give a table of users")
    return list(known), list(zip(*known.values(), strict=True))
