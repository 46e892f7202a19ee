"""Data sets: ratings and items, read from MovieLens' editions or one's own files, and validated.

What is exported here is what the rest of the trainer uses; the files and formats stay inside.
"""

from foldin_trainer.data.columns import Columns
from foldin_trainer.data.dataset import Dataset, LoadReport
from foldin_trainer.data.errors import DataError
from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.loading import load_dataset
from foldin_trainer.data.ratings import Ratings

__all__ = [
    "Columns",
    "DataError",
    "Dataset",
    "ItemTable",
    "LoadReport",
    "Ratings",
    "load_dataset",
]
