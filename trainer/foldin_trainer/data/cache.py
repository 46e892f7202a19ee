"""The folder that fetched data sets are kept in, one folder each.

How they get there is `fetching`; what is in them is `layouts`.
"""

import os
from pathlib import Path
from typing import Final

DATA_DIR_VARIABLE: Final = "FOLDIN_DATA_DIR"
EDITIONS: Final = (
    *("ml-latest-small", "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m"),
)
DEFAULT_EDITION: Final = "ml-latest-small"


def default_data_dir() -> Path:
    """FOLDIN_DATA_DIR, else `foldin` in the user's folder for data."""
    given = os.environ.get(DATA_DIR_VARIABLE)
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "foldin"


def dataset_folder(name: str, data_dir: Path | None = None) -> Path:
    """Where the edition of that name is or would be kept."""
    return (data_dir or default_data_dir()) / "datasets" / name


def cached(data_dir: Path | None = None) -> tuple[str, ...]:
    """The names of the editions that are there, smallest first."""
    return tuple(name for name in EDITIONS if dataset_folder(name, data_dir).is_dir())
