"""The cache of fetched data sets: one folder each, with a note of its sizes and origin.

`downloads` fills it; `files.layouts` describes the files.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from foldin_model.store.location import default_data_dir

DEFAULT_EDITION: Final = "ml-latest-small"
EDITIONS: Final[Mapping[str, int | None]] = MappingProxyType(
    {
        "ml-latest-small": None,  # GroupLens renews this one
        "ml-100k": 100_000,
        "ml-1m": 1_000_209,
        "ml-10m": 10_000_054,
        "ml-20m": 20_000_263,
        "ml-25m": 25_000_095,
        "ml-32m": 32_000_204,
    }
)
"""The MovieLens editions, smallest first, and their numbers of ratings as GroupLens states them."""

_NOTE: Final = "fetched.json"


@dataclass(frozen=True, slots=True)
class CachedDataset:
    """A fetched data set: its folder, its size, and where it came from."""

    name: str
    path: Path
    ratings: int
    users: int
    items: int
    origin: str

    def to_json(self) -> dict[str, str | int]:
        """Returns the fields as JSON values."""
        return asdict(self) | {"path": str(self.path)}


def dataset_folder(name: str, data_dir: Path | None = None) -> Path:
    """Returns the path at which the edition of that name is kept, fetched or not."""
    return (data_dir or default_data_dir()) / "datasets" / name


def cached(name: str, data_dir: Path | None = None) -> CachedDataset | None:
    """Returns the edition of that name, or None if it has not been fetched."""
    folder = dataset_folder(name, data_dir)
    if not (folder / _NOTE).is_file():
        return None
    note = json.loads((folder / _NOTE).read_text("utf-8"))
    sizes = {key: int(note[key]) for key in ("ratings", "users", "items")}
    return CachedDataset(name, folder, **sizes, origin=str(note["origin"]))


def all_cached(data_dir: Path | None = None) -> tuple[CachedDataset, ...]:
    """Returns every fetched edition, smallest first."""
    found = (cached(name, data_dir) for name in EDITIONS)
    return tuple(dataset for dataset in found if dataset is not None)


def write_note(folder: Path, dataset: CachedDataset) -> None:
    """Writes the note that marks the folder as a fetched data set."""
    note = json.dumps(dataset.to_json() | {"path": None}, indent=2)
    (folder / _NOTE).write_text(note + "\n", "utf-8")
