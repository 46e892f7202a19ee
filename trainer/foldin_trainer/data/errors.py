"""Errors of data sets: what is wrong, where, and what to do about it.

Everything found inside a file is a DataError; a failure to fetch one is FetchFailed.
"""

from pathlib import Path
from typing import Literal

from foldin_model.errors import FoldinError


class DataError(FoldinError):
    """A file cannot be used as it is.

    `line` counts from 1 and includes the header; in a Parquet file, which has no lines, it is the
    row, also from 1. It is None if the whole file is meant.
    """

    code = "INVALID_ARGUMENT"
    reason = "DATA_INVALID"

    def __init__(
        self,
        path: Path | str,
        line: int | None,
        problem: str,
        remedy: str,
        *,
        unit: Literal["line", "row"] = "line",
    ) -> None:
        where = str(path) if line is None else f"{path}, {unit} {line}"
        super().__init__(f"{where}: {problem}; {remedy}")
        self.path = Path(path)
        self.line = line
        self.problem = problem
        self.remedy = remedy


class FetchFailed(FoldinError):
    """A data set could not be fetched; nothing was put into the cache."""

    code = "UNAVAILABLE"
    reason = "FETCH_FAILED"


class SourceUnreachable(FetchFailed):
    """The server of the data sets did not answer."""

    reason = "SOURCE_UNREACHABLE"
