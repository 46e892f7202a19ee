"""Data sets: ratings, items and users, of MovieLens' editions or one's own, read and validated.

What is exported here is what the rest of the trainer uses; the files and formats stay inside.
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
