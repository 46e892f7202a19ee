"""Data sets: ratings, items and users, from a MovieLens edition or from files of any origin.

The names exported here are those that the rest of the trainer uses; `files` knows the formats.
"""

from foldin_trainer.data.dataset import Dataset, LoadReport
from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files.columns import Columns
from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.loader import load_dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.users import UserTable

__all__ = [
    "Columns",
    "DataError",
    "Dataset",
    "ItemTable",
    "LoadReport",
    "Ratings",
    "UserTable",
    "load_dataset",
]
