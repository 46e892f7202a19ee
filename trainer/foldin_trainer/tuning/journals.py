"""Opens the journal, the file with the trials of searches; `studies` reads and writes them."""

import json
from pathlib import Path
from typing import Final

from foldin_model.errors import FoldinError
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

LONGEST_LINE: Final = 1 << 16


def open_journal(path: Path) -> JournalStorage:
    """Returns the journal, a new one if there is no file.

    Raises FoldinError if the file is something else, and leaves it as it is.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_first_line(path)
        return JournalStorage(JournalFileBackend(str(path)))
    except OSError as failure:
        raise FoldinError(f"{path} can't be used as a journal: {failure}") from failure
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        raise FoldinError(
            f"{path} is no journal of a search, or a damaged one; give another --journal"
        ) from failure


def _check_first_line(path: Path) -> None:
    """Raises ValueError for another file: Optuna takes any single line for an unfinished one."""
    with path.open("rb") as file:
        line = file.readline(LONGEST_LINE)
    if line and not (isinstance(first := json.loads(line), dict) and "op_code" in first):
        raise ValueError("the first line is no operation")
