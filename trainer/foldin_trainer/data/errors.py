"""What is wrong with a data set, where, and what to do about it.

Network failures while fetching are FetchFailed; everything found inside a file is DataError.
"""

from pathlib import Path
from typing import Literal

from foldin_model.errors import FoldinError


class DataError(FoldinError):
    """A file cannot be used as it is.

    `line` counts from 1 and includes the header; in a Parquet file, which has no lines, it is the
    row, also from 1. None where the whole file is meant.
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
    """A data set could not be fetched whole; nothing was put into the cache."""

    code = "UNAVAILABLE"
    reason = "FETCH_FAILED"


class SourceUnreachable(FetchFailed):
    """The place that data sets come from gave no answer at all."""

    reason = "SOURCE_UNREACHABLE"
